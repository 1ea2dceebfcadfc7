import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ListStackResourcesCommand, CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DeleteRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { localFunctionUrl } from '../aws/emulator.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import type { Installation } from './installation.ts';
import { openStage, type OpenStage } from './open-stage.ts';
import { pushFiles, watchPush } from './push-chapter.ts';
import { runTrueup, type Stage } from './stage.ts';
import { until } from './until.ts';

/** The canary, and `trueup doctor`, over a deployed stack: in order first, then with faults that people make (issue 6). */

let opened: OpenStage;
let stage: Stage;
let cluster: TestCluster;
let installation: Installation;

before(async () => {
  opened = await openStage('doctor', [], (namespace) => ({ canary: { cluster: 'local', namespace } }), {
    mayBeRefused: true,
  });
  ({ stage, cluster } = opened);
  ({ installation } = stage);
});
after(async () => opened?.close());

const findingsSchema = z.array(
  z.object({
    area: z.string(),
    level: z.enum(['ok', 'warn', 'fail']),
    what: z.string(),
    todo: z.string().optional(),
  }),
);

async function doctor() {
  const url = localFunctionUrl(installation.aws, installation.output('hookUrl'));
  const { code, out, err } = await runTrueup(installation, 'doctor', '--hook-url', url, '-o', 'json');
  assert.equal(err, '');
  const findings = findingsSchema.parse(JSON.parse(out));
  const told = (level: string) => findings.filter((one) => one.level === level).map(({ what }) => what);
  return { code, findings, fails: told('fail'), warns: told('warn'), oks: told('ok') };
}

/** Physical name of the one resource of the stack whose logical id has this form. */
async function physical(form: RegExp): Promise<string> {
  const client = new CloudFormationClient(installation.clients);
  const { StackResourceSummaries = [] } = await client.send(
    new ListStackResourcesCommand({ StackName: installation.stack }),
  );
  const found = StackResourceSummaries.find(({ LogicalResourceId = '' }) => form.test(LogicalResourceId));
  return found?.PhysicalResourceId ?? assert.fail(`no resource like ${form}`);
}

const functionForm = (name: string) => new RegExp(`Functions${name}Function[0-9A-F]{8}$`);

describe('the canary', () => {
  const target = { cluster: 'local', application: 'trueup-canary' };

  it('is applied, changed, found by a sweep and healed, by the functions with the rights that they have', async () => {
    const QueueUrl = await physical(/QueuesPushesQueue[0-9A-F]{8}$/);
    const MessageBody = JSON.stringify({ version: 1, poll: 'canary' });
    await new SQSClient(installation.clients).send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const healed = await until('the canary found and healed', async () =>
      (await stage.records.drifts(target)).map(({ value }) => value).find(({ state }) => state === 'healed'),
    );
    assert.deepEqual(
      healed.drift.fields.map(({ path }) => path),
      ['data.song'],
    );
    // The check that found it began what healed it.
    const runs = (await stage.records.runs(target)).map(({ value }) => value);
    const heal = runs.find(({ id }) => id === healed.runId);
    assert.deepEqual([heal?.reason, heal?.trace?.by], ['heal', 'schedule']);
    assert.equal(heal?.trace?.id, healed.trace?.id);
  });
});

describe('trueup doctor', () => {
  it('finds an installation in order', async () => {
    const application = [
      'apiVersion: trueup.dev/v1',
      'kind: Application',
      'metadata: {name: clinic}',
      'spec:',
      '  source: {path: apps/clinic}',
      '  clusters: {names: [local]}',
      `  namespace: ${cluster.namespace}`,
      '',
    ].join('\n');
    const page = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {a: b}\n';
    const files = { 'applications/clinic.yaml': application, 'apps/clinic/page.yaml': page };
    await watchPush(stage, await pushFiles(stage, 'clinic: open', files), [
      { cluster: 'local', application: 'clinic' },
    ]);
    const [run] = (await stage.records.runs({ cluster: 'local', application: 'clinic' })).map(
      ({ value }) => value,
    );
    assert.equal(run?.trace?.by, 'push');
    const swept = await runTrueup(installation, 'drift', '--app', 'clinic', '--now');
    assert.equal(swept.code, 0, swept.err);
    const { code, fails, warns, oks, findings } = await doctor();
    assert.deepEqual([code, fails], [0, []], JSON.stringify(findings, null, 1));
    const all = oks.join('\n');
    assert.match(all, /webhook github takes a signed request/);
    assert.match(all, /webhook github: last delivery \d+ s ago/);
    for (const name of ['webhook', 'snapshot', 'reconcile', 'sweep', 'intake']) {
      assert.match(all, new RegExp(`the role of function ${name} may do what it must`));
      assert.match(all, new RegExp(`function ${name} is active`));
    }
    assert.match(all, /cluster local was checked \d+ s ago, \d+ targets/);
    assert.match(all, /the newest snapshot: trueup \S+/);
    // The webhook key, the digest key, the token of the repository and the kubeconfig.
    assert.match(all, /4 secrets are there and filled/);
    assert.deepEqual(
      warns.filter((what) => !/alarm/.test(what)),
      [],
    );
  });

  it('names each fault that was injected, and ends with status 1', async () => {
    const { clients } = installation;
    const lambda = new LambdaClient(clients);
    const sweep = await physical(functionForm('Sweep'));
    const intake = await physical(functionForm('Intake'));
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName: sweep }),
    );
    const UUID = EventSourceMappings[0]?.UUID;
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    const { Role = '' } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: intake }));
    const RoleName = Role.slice(Role.lastIndexOf('/') + 1);
    const iam = new IAMClient(clients);
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    for (const PolicyName of PolicyNames)
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
    const secrets = new SecretsManagerClient(clients);
    const SecretId = `trueup/${installation.fleet}/repositories/config`;
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'changeme' }));
    const QueueUrl = await physical(/QueuesPushesDeadLetters[0-9A-F]{8}$/);
    await new SQSClient(clients).send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));

    const { code, fails } = await doctor();
    assert.equal(code, 1);
    const all = fails.join('\n');
    assert.match(all, /function sweep is not fed: its event source is Disabled/);
    assert.match(
      all,
      /the role of function intake may not s3:PutObject on arn:aws:s3:::\S+deliveries\/doctor/,
    );
    assert.match(all, /secret trueup\/\S+\/repositories\/config \(repository config\) holds a placeholder/);
    assert.match(all, /1 messages were given up and lie in the dead-letter queue of pushes/);
    assert.equal(fails.filter((what) => /may not events:PutEvents/.test(what)).length, 1);
  });
});
