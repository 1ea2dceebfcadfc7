import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { until } from '../e2e/until.ts';
import { clientConfig, deploy } from './deploy.ts';
import { emitServiceEvent, killFunction, localFunctionUrl, putEksCluster } from './emulator.ts';
import { freePort, startLocalAws, type LocalAws } from './local-aws.ts';
import { runningMembers } from './process-group.ts';

const outputsSchema = z.object({
  Url: z.string(),
  FunctionName: z.string(),
  WorkQueue: z.string(),
  InboxQueue: z.string(),
  MailQueue: z.string(),
  AlarmName: z.string(),
  SecretArn: z.string(),
});
const answerSchema = z.object({
  path: z.string(),
  body: z.string(),
  base64: z.boolean(),
  node: z.string(),
  allowed: z.string(),
  refused: z.string(),
  home: z.string(),
});
const mailSchema = z.object({ Message: z.string() });
const alarmMessageSchema = z.object({ AlarmName: z.string(), NewStateValue: z.string() });

// It is about our own emulator; with an AWS of yours there is none.
const skip = Boolean(process.env['TRUEUP_AWS_ENDPOINT_URL']);
let folder = '';
let aws: LocalAws;
let outputs: z.infer<typeof outputsSchema>;
let sqs: SQSClient;

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'trueup-deploy-test-'));
  await mkdir(join(folder, 'cdk'));
  // Of its own, for the speed of its alarms: a period of 60 s passes in 2.
  aws = await startLocalAws({ dir: join(folder, 'aws'), alarmSpeed: 30 });
  const file = join(import.meta.dirname, 'fixtures', 'tiny-app.ts');
  const deployed = await deploy({ aws, app: { file }, dir: join(folder, 'cdk') });
  outputs = outputsSchema.parse(deployed['Tiny']);
  sqs = new SQSClient(clientConfig(aws));
});

after(async () => {
  if (skip) return;
  await aws.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The next message of a queue, deleted from it. */
async function receive(QueueUrl: string): Promise<string> {
  return until(`a message in ${QueueUrl}`, async () => {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
    const [message] = Messages ?? [];
    if (message?.Body === undefined) return undefined;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    return message.Body;
  });
}

test('a ready cloud assembly is deployed again, and unchanged gives the same outputs', { skip }, async () => {
  const app = { assembly: join(folder, 'cdk', 'cdk.out') };
  const again = await deploy({ aws, app, dir: join(folder, 'cdk') });
  assert.deepEqual(again['Tiny'], outputs);
});

test(
  'a function URL answers on this machine, on Node 24, and its role allows what it says and no more',
  { skip },
  async () => {
    const url = localFunctionUrl(aws, `${outputs.Url}hooks/github`);
    const body = '{"a":  "ü"}';
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    const { node, home, ...rest } = answerSchema.parse(await response.json());
    assert.deepEqual(rest, {
      path: '/hooks/github',
      body,
      base64: false,
      allowed: 'ok',
      refused: 'AccessDenied',
    });
    assert.match(node, /^24\./);
    assert.equal(home, join(folder, 'aws', 'home'));
    const large = await fetch(url, { method: 'POST', body: 'x'.repeat(6 * 1024 * 1024 + 1) });
    assert.equal(large.status, 413);
  },
);

test('an error of a function URL is counted in Url5xxCount', { skip }, async () => {
  const response = await fetch(localFunctionUrl(aws, `${outputs.Url}broken`));
  assert.equal(response.status, 503);
  const Metric = {
    Namespace: 'AWS/Lambda',
    MetricName: 'Url5xxCount',
    Dimensions: [{ Name: 'FunctionName', Value: outputs.FunctionName }],
  };
  const now = Date.now();
  const { MetricDataResults } = await new CloudWatchClient(clientConfig(aws)).send(
    new GetMetricDataCommand({
      StartTime: new Date(now - 600_000),
      EndTime: new Date(now + 60_000),
      MetricDataQueries: [{ Id: 'errors', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }],
    }),
  );
  assert.deepEqual(MetricDataResults?.[0]?.Values, [1]);
});

test('a Lambda speaks TLS to a server on this machine', { skip }, async (context) => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  context.after(() => server.close());
  const firstByte = once(server, 'connection').then(async ([socket]) => {
    assert.ok(socket instanceof Object && 'once' in socket);
    const [chunk] = z.tuple([z.instanceof(Buffer)]).parse(await once(socket, 'data'));
    socket.destroy();
    return chunk[0];
  });
  const address = encodeURIComponent(`https://127.0.0.1:${port}/`);
  const response = await fetch(`${localFunctionUrl(aws, outputs.Url)}?tls=${address}`);
  assert.equal(response.status, 200);
  // A TLS handshake record, not a "GET".
  assert.equal(await firstByte, 0x16);
});

test('work of two FIFO groups runs side by side, and within a group in order', { skip }, async () => {
  for (const MessageGroupId of ['a', 'b', 'a']) {
    const MessageDeduplicationId = crypto.randomUUID();
    const message = { MessageBody: '{}', MessageGroupId, MessageDeduplicationId };
    await sqs.send(new SendMessageCommand({ QueueUrl: outputs.WorkQueue, ...message }));
  }
  const ran = async () => [
    ...(await readFile(aws.functionLogPath, 'utf8')).matchAll(/RAN (\w) (\d+) (\d+)/g),
  ];
  const runs = await until(
    'three runs in the log of the functions',
    async () => {
      const found = await ran();
      // On a busy machine a message may come once more, as on AWS.
      return found.length >= 3
        ? found.map(([, group, begin, end]) => ({ group, begin: Number(begin), end: Number(end) }))
        : undefined;
    },
    { hint: async () => (await ran()).join('; ') },
  );
  const [firstA, secondA] = runs.filter(({ group }) => group === 'a').toSorted((a, b) => a.begin - b.begin);
  const b = runs.find(({ group }) => group === 'b');
  assert.ok(firstA && secondA && b);
  assert.ok(firstA.begin < b.end && b.begin < firstA.end, 'the groups ran one after the other');
  assert.ok(firstA.end <= secondA.begin, 'two messages of a group ran at once');
});

test('an event of ECR on the default bus is forwarded to our own bus and its queue', { skip }, async () => {
  await emitServiceEvent(aws, {
    source: 'aws.ecr',
    detailType: 'ECR Image Action',
    detail: { result: 'SUCCESS' },
  });
  const event = z
    .looseObject({ source: z.string(), detail: z.unknown() })
    .parse(JSON.parse(await receive(outputs.InboxQueue)));
  assert.deepEqual([event.source, event.detail], ['aws.ecr', { result: 'SUCCESS' }]);
});

test(
  'an alarm looks at its own dimensions, tells SNS, and returns to OK when the data ends',
  { skip },
  async () => {
    const cloudwatch = new CloudWatchClient(clientConfig(aws));
    // The alarm's first OK may have come before the topic had its subscription, or be in the queue still.
    const told = async (state: string) => {
      for (;;) {
        const { Message } = mailSchema.parse(JSON.parse(await receive(outputs.MailQueue)));
        const alarm = alarmMessageSchema.parse(JSON.parse(Message));
        assert.equal(alarm.AlarmName, outputs.AlarmName);
        if (alarm.NewStateValue === state) return;
      }
    };
    const put = (cluster: string) => {
      const Dimensions = [{ Name: 'Cluster', Value: cluster }];
      return cloudwatch.send(
        new PutMetricDataCommand({
          Namespace: 'Tiny',
          MetricData: [{ MetricName: 'Drift', Value: 3, Dimensions }],
        }),
      );
    };
    await put('b');
    const { MetricAlarms } = await cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [outputs.AlarmName] }),
    );
    assert.equal(MetricAlarms?.[0]?.StateValue, 'OK');
    await put('a');
    await told('ALARM');
    await told('OK');
  },
);

test('an EKS cluster leads to the API server that the test put there', { skip }, async () => {
  await putEksCluster(aws, 'prod', { endpoint: 'https://127.0.0.1:6443', certificateAuthority: 'a PEM' });
  const { cluster } = await new EKSClient(clientConfig(aws)).send(
    new DescribeClusterCommand({ name: 'prod' }),
  );
  assert.equal(cluster?.endpoint, 'https://127.0.0.1:6443');
  assert.equal(Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString('utf8'), 'a PEM');
});

test('a Lambda is killed in the middle of an invocation and works again afterwards', { skip }, async () => {
  const lambda = new LambdaClient(clientConfig(aws));
  const Payload = JSON.stringify({ Records: [{ attributes: { MessageGroupId: 'killed' } }] });
  const invoke = () => lambda.send(new InvokeCommand({ FunctionName: outputs.FunctionName, Payload }));
  const invocation = invoke();
  await until(
    'an invocation to kill',
    async () => (await killFunction(aws, outputs.FunctionName)) || undefined,
  );
  assert.equal((await invocation).FunctionError, 'Unhandled');
  assert.equal((await invoke()).FunctionError, undefined);
});

test('the Ref of a secret is its ARN', { skip }, async () => {
  assert.match(outputs.SecretArn, /^arn:aws:secretsmanager:us-east-1:000000000000:secret:/);
  const secrets = new SecretsManagerClient(clientConfig(aws));
  const { ARN } = await secrets.send(new DescribeSecretCommand({ SecretId: outputs.SecretArn }));
  assert.equal(ARN, outputs.SecretArn);
});

test('warm Lambdas end with it', { skip: skip || process.platform !== 'linux' }, async () => {
  assert.ok(aws.group !== undefined && (await runningMembers(aws.group)).length > 1);
  await aws.stop();
  assert.deepEqual(await runningMembers(aws.group), []);
});
