import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod';
import { parseStackConfig } from '../../core/contract/config.ts';
import { flatten, ofType, sample, synthesize, type Synthesized } from './synthesized.ts';

/** An installation whose app adds a cluster that is reached from outside, and one from inside a VPC. */
const stack = synthesize(
  { ...sample, clusters: [] },
  {},
  {
    add: (trueup, scope) => {
      trueup.addCluster({ name: 'staging', access: { type: 'eks', name: 'stage-1' } });
      const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', {
        vpcId: 'vpc-1',
        availabilityZones: ['eu-west-1a'],
        privateSubnetIds: ['subnet-1'],
      });
      const network = trueup.addNetwork({ name: 'inside', vpc });
      trueup.addCluster({ name: 'vault', access: { type: 'eks', name: 'vault-1' }, network });
    },
  },
);
after(() => stack[Symbol.dispose]());

const functionSchema = z.object({
  Environment: z.object({ Variables: z.record(z.string(), z.unknown().transform(flatten)) }),
  VpcConfig: z.object({ SubnetIds: z.array(z.string()) }).optional(),
});

function functionOf({ resources }: Synthesized, start: string) {
  const found = ofType(resources, 'AWS::Lambda::Function').filter(([id]) => id.startsWith(start));
  assert.equal(found.length, 1, start);
  return functionSchema.parse(found[0]?.[1].Properties);
}

function rightsOf({ resources }: Synthesized, start: string, action: string): readonly string[] {
  return ofType(resources, 'AWS::IAM::Policy')
    .filter(([id]) => id.startsWith(start))
    .flatMap(([, { Properties }]) => {
      const { PolicyDocument } = z
        .object({ PolicyDocument: z.object({ Statement: z.array(z.record(z.string(), z.unknown())) }) })
        .parse(Properties);
      return PolicyDocument.Statement.filter(({ Action }) => [Action].flat().includes(action));
    })
    .flatMap(({ Resource }) => [Resource].flat().map(flatten));
}

test('the functions of a network are in its subnets, and read queues of their own', () => {
  for (const name of ['Reconcile', 'Sweep']) {
    assert.deepEqual(functionOf(stack, `TrueUpNetworkinside${name}Function`).VpcConfig?.SubnetIds, [
      'subnet-1',
    ]);
    assert.equal(functionOf(stack, `TrueUpFunctions${name}Function`).VpcConfig, undefined);
  }
  const mappings = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping')
    .map(([, { Properties }]) => [Properties['EventSourceArn'], Properties['FunctionName']].map(flatten))
    .filter(([queue]) => queue?.includes('Network'));
  assert.deepEqual(mappings.map(String).sort(), [
    '<NetworkinsideLaterQueue>,<NetworkinsideReconcileFunction>',
    '<NetworkinsideRunsQueue>,<NetworkinsideReconcileFunction>',
    '<NetworkinsideSweepsQueue>,<NetworkinsideSweepFunction>',
  ]);
});

test('those outside know its queues and may send to them; those inside know where they are', () => {
  const inside = functionOf(stack, 'TrueUpNetworkinsideReconcileFunction').Environment.Variables;
  assert.equal(inside['TRUEUP_NETWORKS'], '{"own":"inside"}');
  assert.equal(inside['TRUEUP_LATER_QUEUE_URL'], '<NetworkinsideLaterQueue>');
  const outside = functionOf(stack, 'TrueUpFunctionsReconcileFunction').Environment.Variables;
  assert.deepEqual(JSON.parse(outside['TRUEUP_NETWORKS'] ?? ''), {
    queues: {
      inside: {
        runQueue: '<NetworkinsideRunsQueue>',
        laterQueue: '<NetworkinsideLaterQueue>',
        sweepQueue: '<NetworkinsideSweepsQueue>',
      },
    },
  });
  assert.ok(
    rightsOf(stack, 'TrueUpFunctionsReconcile', 'sqs:SendMessage').includes('<NetworkinsideRunsQueue>'),
  );
  assert.ok(
    rightsOf(stack, 'TrueUpFunctionsSweep', 'sqs:SendMessage').includes('<NetworkinsideSweepsQueue>'),
  );
});

test('each function may enter the clusters that it reaches, and no other', () => {
  const places = ['Functions', 'Networkinside'].flatMap((place) =>
    ['Reconcile', 'Sweep'].map((name) => [
      place,
      ...rightsOf(stack, `TrueUp${place}${name}`, 'eks:DescribeCluster'),
    ]),
  );
  const arn = (name: string) => `arn:<Partition>:eks:<Region>:<AccountId>:cluster/${name}`;
  assert.deepEqual(places, [
    ['Functions', arn('stage-1')],
    ['Functions', arn('stage-1')],
    ['Networkinside', arn('vault-1')],
    ['Networkinside', arn('vault-1')],
  ]);
});

test('what pull requests ask of its clusters goes to a queue of its own, too', () => {
  const [repository] = sample.repositories;
  assert.ok(repository);
  using previewing = synthesize(
    { ...sample, repositories: [{ ...repository, preview: {} }] },
    {},
    {
      add: (trueup, scope) => {
        const place = { vpcId: 'vpc-1', availabilityZones: ['a'], privateSubnetIds: ['subnet-1'] };
        trueup.addNetwork({ name: 'inside', vpc: Vpc.fromVpcAttributes(scope, 'Vpc', place) });
      },
    },
  );
  const { Variables } = functionOf(previewing, 'TrueUpFunctionsSweepFunction').Environment;
  const urls = z
    .object({ queues: z.record(z.string(), z.record(z.string(), z.string())) })
    .parse(JSON.parse(Variables['TRUEUP_NETWORKS'] ?? ''));
  assert.equal(urls.queues['inside']?.['questionQueue'], '<NetworkinsideQuestionsQueue>');
  const rights = rightsOf(previewing, 'TrueUpFunctionsSweep', 'sqs:SendMessage');
  assert.ok(rights.includes('<NetworkinsideQuestionsQueue>'));
});

test('the configuration that the functions read has the clusters that were added', () => {
  const read = readdirSync(stack.outdir)
    .filter((name) => /^asset\..*\.json$/.test(name))
    .map((name) => parseStackConfig(JSON.parse(readFileSync(path.join(stack.outdir, name), 'utf8'))));
  assert.deepEqual(
    read.map(({ clusters }) => clusters.map(({ name, network }) => [name, network])),
    [
      [
        ['staging', undefined],
        ['vault', 'inside'],
      ],
    ],
  );
});

test('each queue of a network has its alarms', () => {
  const names = ofType(stack.resources, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
    String(Properties['AlarmName']),
  );
  for (const queue of ['runs', 'later', 'sweeps']) {
    for (const kind of ['backlog', 'dead-letters']) {
      assert.ok(names.includes(`trueup-acme-${kind}-inside-${queue}`), `${kind} of ${queue}`);
    }
  }
});

test('cdk-nag has no finding without a reason', () => {
  const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
  const findings = violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
  );
  assert.deepEqual(findings, []);
});

test('what cannot work is told at synthesis', () => {
  assert.throws(() => synthesize({ ...sample, clusters: [] }), /clusters: name a cluster, or a discovery/);
  const first = { name: 'staging', access: { type: 'eks', name: 'stage-1' } } as const;
  assert.throws(
    () => synthesize({ ...sample, clusters: [{ ...first, network: 'nowhere' }] }),
    /cluster staging is in the network nowhere, and there is none: call addNetwork/,
  );
  const twice = (): Synthesized => synthesize(sample, {}, { add: (trueup) => trueup.addCluster(first) });
  assert.throws(twice, /clusters: name "staging" is used twice/);
  // Their queues would not fit into the variables of a function.
  const place = { vpcId: 'vpc-1', availabilityZones: ['a'], privateSubnetIds: ['subnet-1'] };
  const networks = (count: number) => (): Synthesized =>
    synthesize(
      sample,
      {},
      {
        add: (trueup, scope) => {
          const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', place);
          for (let at = 0; at < count; at += 1) trueup.addNetwork({ name: `n${at}`, vpc });
        },
      },
    );
  assert.throws(networks(6), /network n5 is one too many: an installation has room for 5/);
});
