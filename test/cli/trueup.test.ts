import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '../../adapters/s3-store.ts';
import { outputs } from '../../core/contract/environment.ts';
import { testAws } from '../aws/test-aws.ts';
import { configMap, scriptedWorld } from '../core/sweep/sweep-world.ts';
import { bareEnvironment } from './bare-environment.ts';

/** The program as a person runs it, against the local AWS. */

const root = resolve(import.meta.dirname, '../..');
const { aws, client, prefix } = await testAws();

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function trueup(
  args: readonly string[],
  env: Readonly<Record<string, string>> = aws.env,
): Promise<Ended> {
  const kept = { ...bareEnvironment, HOME: '/nonexistent', ...env };
  return new Promise((done) => {
    const options = { cwd: root, env: kept };
    const child = execFile(process.execPath, ['cli/trueup.ts', ...args], options, (_, out, err) => {
      done({ code: child.exitCode ?? -1, out, err });
    });
  });
}

async function createStack(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  const Outputs = Object.fromEntries(Object.entries(values).map(([key, Value]) => [key, { Value }]));
  const Resources = { Topic: { Type: 'AWS::SNS::Topic' } };
  const cloudFormation = new CloudFormationClient(client);
  await cloudFormation.send(
    new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources, Outputs }) }),
  );
  await waitUntilStackCreateComplete(
    { client: cloudFormation, minDelay: 1, maxDelay: 2, maxWaitTime: 30 },
    { StackName: name },
  );
}

describe('trueup', () => {
  it('--help names the verbs and the exit statuses', async () => {
    const { code, out } = await trueup(['--help'], {});
    assert.equal(code, 0);
    assert.match(out, /render .*plan .*apply .*status .*drift .*sync .*rollback /s);
    assert.match(out, /Exit status: 0 /);
  });

  it('reads an installation through the outputs of its stack, in every format', async () => {
    const bucket = `${prefix}-bucket`;
    await new S3Client(client).send(new CreateBucketCommand({ Bucket: bucket }));
    const store = new S3Store(bucket, new S3Client(client));
    const world = scriptedWorld();
    await world.deploy('web', [configMap('front')]);
    await world.sweepAll();
    for await (const key of world.store.list('')) {
      await store.put(key, (await world.store.get(key))?.text ?? '', 'any');
    }
    const queue = 'http://127.0.0.1:1/queue';
    await createStack(prefix, {
      [outputs.bucket]: bucket,
      [outputs.runQueue]: queue,
      [outputs.sweepQueue]: queue,
    });
    const table = await trueup(['status', '--stack', prefix]);
    assert.deepEqual([table.code, table.err], [0, '']);
    // No terminal: no colours.
    assert.match(table.out, /^CLUSTER .*\neast +web +c0ffee0 +change \(Ada\) +Synced +Healthy +0 +/);
    const json = await trueup(['status', '--stack', prefix, '-o', 'json']);
    const yaml = await trueup(['status', '--stack', prefix, '-o', 'yaml']);
    assert.equal(JSON.parse(json.out)[0].sync, 'Synced');
    assert.match(yaml.out, /^- cluster: east\n {2}application: web\n/);
    const unknown = await trueup(['history', '--app', 'wbe', '--stack', prefix]);
    assert.deepEqual([unknown.code, unknown.out], [2, '']);
    assert.equal(unknown.err, 'trueup: There is no application wbe. Known: web.\n');
  });

  const { AWS_REGION = 'eu-west-1' } = aws.env;
  const faults: readonly { name: string; args: string[]; env: Record<string, string>; says: RegExp }[] = [
    {
      name: 'no such stack',
      args: ['status', '--stack', 'nowhere'],
      env: aws.env,
      says: /^trueup: There is no CloudFormation stack nowhere in this account and region\. Name yours with --stack/,
    },
    {
      name: 'no credentials',
      args: ['status'],
      env: { AWS_REGION, AWS_EC2_METADATA_DISABLED: 'true' },
      says: /^trueup: No AWS credentials were found\. Log in/,
    },
    { name: 'no region', args: ['status'], env: {}, says: /^trueup: No AWS region is set\. Set AWS_REGION/ },
    {
      name: 'no such AWS',
      args: ['status'],
      env: { ...aws.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      says: /^trueup: Cannot ask the AWS at AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:1 about the stack trueup-default/,
    },
    { name: 'no such verb', args: ['statsu'], env: {}, says: /unknown command 'statsu'/ },
    {
      name: 'no application named',
      args: ['history'],
      env: {},
      says: /required option '--app <name>' not specified/,
    },
    {
      name: 'no such format',
      args: ['status', '-o', 'xml'],
      env: {},
      says: /Allowed choices are table, json, yaml/,
    },
  ];
  for (const { name, args, env, says } of faults) {
    it(`with ${name} says what to do, in one text and with status 2`, async () => {
      const { code, out, err } = await trueup(args, env);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, says);
      assert.doesNotMatch(err, /\n {4}at /);
    });
  }
});
