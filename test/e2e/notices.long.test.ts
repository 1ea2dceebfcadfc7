import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { keys, vendorServer, type VendorServer } from '../adapters/channels/contract-servers.ts';
import { openStage } from './open-stage.ts';
import { pushFiles } from './push-chapter.ts';
import { runTrueup, trueup } from './stage.ts';
import { localAccount } from '../aws/local-aws.ts';
import { until } from './until.ts';

const slackSchema = z.object({ text: z.string() });
const noticeSchema = z.object({ title: z.string(), phase: z.string() });
const pagerSchema = z.object({ event_action: z.string(), dedup_key: z.string() });

const application = (namespace: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: noted}
spec:
  source: {path: apps/noted}
  clusters: {names: [local]}
  namespace: ${namespace}
`;
const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: b}\n`;

/** From a run that is blocked, a commit that cannot be read and an alarm to the channels, with the rights the functions really have. */
test(
  'people are told what fails and that it is over; a broken channel holds up no other',
  { timeout: 900_000 },
  async (t) => {
    const [slack, pager, hook, broken] = await Promise.all([
      vendorServer('slack'),
      vendorServer('pagerduty'),
      vendorServer('webhook'),
      vendorServer('slack'),
    ]);
    const servers: readonly VendorServer[] = [slack, pager, hook, broken];
    t.after(async () => {
      for (const server of servers) await server[Symbol.asyncDispose]();
    });
    const internal = true;
    const notifications: StackConfigInput['notifications'] = {
      channels: [
        { name: 'chat', type: 'slack', secret: 'notices/chat', internal },
        { name: 'pager', type: 'pagerduty', secret: 'notices/pager', url: pager.origin, internal },
        { name: 'hook', type: 'webhook', secret: 'notices/hook', url: `${hook.origin}/told`, internal },
        { name: 'broken', type: 'slack', secret: 'notices/broken', internal },
        { name: 'people', type: 'sns', topicArn: `arn:aws:sns:us-east-1:${localAccount}:people` },
        { name: 'mail', type: 'email', to: ['ops@example.com'] },
      ],
      routes: [{ channels: ['chat', 'pager', 'hook', 'broken', 'people', 'mail'] }],
    };
    const opened = await openStage('notices', [], () => ({ notifications }));
    t.after(async () => opened.close());
    const { stage, cluster } = opened;
    const { installation, kubectl } = stage;
    const secretsManager = new SecretsManagerClient(installation.clients);
    const path = '/services/T000/B000/XXXX';
    const values = {
      chat: `${slack.origin}${path}`,
      broken: `${broken.origin}${path}`,
      pager: keys.pagerduty,
      hook: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    };
    for (const [name, SecretString] of Object.entries(values))
      await secretsManager.send(new CreateSecretCommand({ Name: `notices/${name}`, SecretString }));

    const titles = ({ received }: VendorServer) =>
      received.map(({ body }) => slackSchema.parse(JSON.parse(body)).text);
    const told = async (title: string, on = slack) =>
      until(`"${title}"`, async () => titles(on).find((one) => one.includes(title)), {
        seconds: 180,
        hint: async () => titles(on).join('\n'),
      });

    const inbox = await subscribed(installation.clients);

    // A person tries the channels first.
    const tried = await runTrueup(installation, 'notify', '--test', 'chat');
    assert.deepEqual([tried.code, tried.out.trim()], [0, 'chat: sent, and taken'], tried.err);
    assert.match(titles(slack)[0] ?? '', /^🔔 A test of the channel chat/);
    broken.faults.push({ status: 404, body: 'no_service' });
    const refused = await runTrueup(installation, 'notify', '--test', 'broken');
    assert.equal(refused.code, 1);
    assert.match(refused.out, /refuses it \(404: no_service\); mend the secret notices\/broken/);

    // What exists already, and is nobody's, blocks a run; one channel is down all the while.
    const { namespace } = cluster;
    await kubectl('create', 'configmap', 'theirs', '--from-literal=a=c', '--namespace', namespace);
    broken.faults.push(...Array.from({ length: 3 }, () => ({ status: 503 })));
    await pushFiles(stage, 'noted: first', {
      'applications/noted.yaml': application(namespace),
      'apps/noted/own.yaml': object('own'),
      'apps/noted/theirs.yaml': object('theirs'),
    });
    await told('noted on local: the run is blocked');
    const [paged] = await until('the page', async () =>
      pager.received.length > 0 ? pager.received : undefined,
    );
    await until('the webhook', async () => hook.received[0]);
    const trigger = pagerSchema.parse(JSON.parse(paged?.body ?? ''));
    assert.equal(trigger.event_action, 'trigger');
    t.diagnostic(`told while the broken channel had ${titles(broken).length} messages`);
    await told('noted on local: the run is blocked', broken);
    const listed = await trueup(installation, 'notify', '-o', 'json');
    assert.equal(z.object({ told: z.array(z.unknown()) }).parse(JSON.parse(listed)).told.length, 6);

    const published = await inbox();
    assert.deepEqual([published.title, published.phase], ['noted on local: the run is blocked', 'opened']);

    // Mended in Git: over, under the same key.
    await pushFiles(stage, 'noted: leave theirs alone', { 'apps/noted/theirs.yaml': object('ours') });
    await told('✅ Over: noted on local: the run is blocked');
    const resolve = await until('the end of the page', async () =>
      pager.received
        .map(({ body }) => pagerSchema.parse(JSON.parse(body)))
        .find((one) => one.event_action === 'resolve'),
    );
    assert.equal(resolve.dedup_key, trigger.dedup_key);

    // A commit that cannot be read, and the next one, which changes nothing but that.
    await pushFiles(stage, 'noted: typo', { 'apps/noted/own.yaml': 'apiVersion: v1\nkind: [ConfigMap\n' });
    await told('cannot be followed in full');
    await pushFiles(stage, 'noted: no typo', { 'apps/noted/own.yaml': object('own') });
    await told('✅ Over: config: commit');

    // An alarm of the installation, as CloudWatch writes it.
    const ring = async (state: string) =>
      new SNSClient(installation.clients).send(
        new PublishCommand({
          TopicArn: installation.output('alarmTopic'),
          Message: JSON.stringify({
            AlarmName: 'trueup-notices-webhook-errors-failed',
            AlarmDescription: 'Webhooks failed',
            NewStateValue: state,
            NewStateReason: 'Threshold Crossed',
            StateChangeTime: new Date().toISOString().replace('Z', '+0000'),
          }),
        }),
      );
    await ring('ALARM');
    await told('🔴 Alarm webhook-errors-failed');
    await ring('OK');
    await told('✅ Over: Alarm webhook-errors-failed');
    // On a busy machine sweeps are late again and again, and that alarm is none of these.
    const own = titles(slack).filter((title) => !title.includes('Alarm unchecked'));
    const doubled = own.filter((title, index, all) => all.indexOf(title) !== index);
    assert.deepEqual(doubled, []);
  },
);

/** A topic of somebody else's, and a queue that hears it; gives the next notice. */
async function subscribed(clients: ConstructorParameters<typeof SNSClient>[0] & object) {
  const [sns, sqs] = [new SNSClient(clients), new SQSClient(clients)];
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'people' }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'people' }));
  const Endpoint = `arn:aws:sqs:us-east-1:${localAccount}:people`;
  // SNS may send to a queue only where the queue's own policy says so.
  const Principal = { Service: 'sns.amazonaws.com' };
  const Statement = [{ Effect: 'Allow', Principal, Action: 'sqs:SendMessage', Resource: Endpoint }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  const Attributes = { RawMessageDelivery: 'true' };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }));
  return async () =>
    until('a notice of the topic', async () => {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      const [message] = Messages;
      return message === undefined ? undefined : noticeSchema.parse(JSON.parse(message.Body ?? ''));
    });
}
