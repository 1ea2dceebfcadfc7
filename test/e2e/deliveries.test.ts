import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PollRequest } from '../../core/contract/events.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { deliverySchema } from '../../core/model/delivery.ts';
import { emitServiceEvent, killFunction } from '../aws/emulator.ts';
import { at } from '../cluster/cluster-client.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { sweepNow } from './drift-chapter.ts';
import type { Installation } from './installation.ts';
import { openStage, type OpenStage } from './open-stage.ts';
import { pushFiles, watchPush, watchRun, type Push } from './push-chapter.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

/** What the Git host, the bus and Lambda may do to us (issue 3): doubled, reordered and lost work, on the real stack. */

let opened: OpenStage;
let cluster: TestCluster;
let installation: Installation;
let stage: Stage;
const target = { cluster: 'local', application: 'shop' };

before(async () => {
  opened = await openStage('deliveries');
  ({ stage, cluster } = opened);
  ({ installation } = stage);
});
after(async () => opened?.close());

const application = () => `apiVersion: trueup.dev/v1
kind: Application
metadata:
  name: shop
spec:
  source:
    path: apps/shop
  clusters:
    names: [local]
  namespace: ${cluster.namespace}
`;
const configMap = (name: string, round: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  round: "${round}"\n`;

const deliveryOf = (push: Push) =>
  until(`the Git host's delivery of ${push.sha}`, async () =>
    installation.git.deliveries.all.find((one) => one.event === 'push' && one.body.includes(push.sha)),
  );
const runsOf = async (sha: string) =>
  (await stage.records.runs(target)).filter(({ value }) => value.commit.sha === sha);
const liveRound = async (name: string) =>
  at(await cluster.admin.get(`/api/v1/namespaces/${cluster.namespace}/configmaps/${name}`), 'data', 'round');

test('the same webhook five times is one run', async () => {
  const files = { 'applications/shop.yaml': application(), 'apps/shop/page.yaml': configMap('page', '1') };
  const push = await pushFiles(stage, 'shop: open', files);
  const { id } = await deliveryOf(push);
  const again = await Promise.all([1, 2, 3, 4].map(() => installation.git.deliveries.redeliver(id)));
  assert.deepEqual(
    again.map((attempt) => (attempt.outcome === 'answered' ? attempt.status : attempt.reason)),
    [202, 202, 202, 202],
  );
  await watchPush(stage, push, [target]);
  assert.equal((await runsOf(push.sha)).length, 1);
});

test('two pushes whose events arrive in reverse order: the newest commit stays, one run each at most', async () => {
  installation.git.deliveries.hold();
  const older = await pushFiles(stage, 'shop: second page', {
    'apps/shop/page.yaml': configMap('page', '2'),
  });
  const newer = await pushFiles(stage, 'shop: third page', { 'apps/shop/page.yaml': configMap('page', '3') });
  const [first, second] = [await deliveryOf(older), await deliveryOf(newer)];
  installation.git.deliveries.hold(false);
  await installation.git.deliveries.release(second.id);
  await watchRun(stage, newer, target);
  await installation.git.deliveries.release(first.id);
  const outcome = await until('an outcome of the older delivery', async () => {
    const all = await stage.records.deliveries();
    return all.find(({ id }) => id === first.id)?.outcome;
  });
  assert.match(outcome, /./);
  const pointer = await stage.records.desired(target);
  assert.equal(pointer?.commit.sha, newer.sha);
  assert.equal((await runsOf(newer.sha)).length, 1);
  assert.equal((await runsOf(older.sha)).length, 0);
  assert.equal(await liveRound('page'), '3');
});

test('a push whose webhook never came is found by a poll, and ends as a run', async () => {
  installation.git.deliveries.hold();
  const push = await pushFiles(stage, 'shop: nobody tells of this', {
    'apps/shop/page.yaml': configMap('page', 'unheard'),
  });
  await deliveryOf(push);
  installation.git.deliveries.hold(false);
  const request: PollRequest = { version: 1, poll: 'remote', repositories: [installation.repository] };
  await sendToPushes(JSON.stringify(request));
  await watchRun(stage, push, target);
  assert.equal(await liveRound('page'), 'unheard');
});

async function sendToPushes(MessageBody: string): Promise<void> {
  const { ListQueuesCommand, SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
  const sqs = new SQSClient(installation.clients);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  const ours = QueueUrls.filter((url) => url.includes('deliveries') && url.includes('QueuesPushesQueue'));
  assert.equal(ours.length, 1, QueueUrls.join(' '));
  await sqs.send(new SendMessageCommand({ QueueUrl: ours[0], MessageBody }));
}

test('an image event of ECR is seen in the ledger', async () => {
  await emitServiceEvent(installation.aws, {
    source: 'aws.ecr',
    detailType: 'ECR Image Action',
    detail: {
      'action-type': 'PUSH',
      result: 'SUCCESS',
      'repository-name': 'shop/web',
      'image-tag': '1.2.3',
      'image-digest': `sha256:${'a'.repeat(64)}`,
    },
  });
  // Installations of other tests push images as well, and every bus hears of them.
  const { key, delivery } = await until('the event in the ledger', async () => {
    for await (const found of stage.records.store.list(`${prefixes.deliveries}ecr/id/`)) {
      const read = await readDocument(stage.records.store, found, deliverySchema);
      if (read?.value.images?.[0]?.tag === '1.2.3') return { key: found, delivery: read };
    }
    return undefined;
  });
  assert.equal(key, keys.delivery('ecr', delivery.value.id));
  const [image] = delivery.value.images ?? [];
  assert.match(image?.repository ?? '', /\.dkr\.ecr\..*\/shop\/web$/);
  assert.deepEqual([image?.tag, image?.digest], ['1.2.3', `sha256:${'a'.repeat(64)}`]);
});

async function reconcileFunction(): Promise<string> {
  const { LambdaClient, ListFunctionsCommand } = await import('@aws-sdk/client-lambda');
  const { Functions = [] } = await new LambdaClient(installation.clients).send(new ListFunctionsCommand({}));
  const name = Functions.map(({ FunctionName = '' }) => FunctionName).find(
    (one) => one.includes('deliveries') && one.includes('Reconcile'),
  );
  assert.ok(name !== undefined, `no reconcile function among ${Functions.length}`);
  return name;
}

// The last: the dead run's message blocks its target for a while.
test('the reconcile function is killed in the middle of an apply: the next run completes it', async () => {
  const many = Array.from({ length: 200 }, (_, index) => `part-${index}`);
  const files = Object.fromEntries(
    many.map((name) => [`apps/shop/${name}.yaml`, configMap(name, 'killed')] as const),
  );
  const push = await pushFiles(stage, 'shop: two hundred parts', files);
  const live = async () =>
    (await cluster.admin.list(`/api/v1/namespaces/${cluster.namespace}/configmaps`)).filter((object) =>
      JSON.stringify(at(object, 'metadata', 'name')).startsWith('"part-'),
    ).length;
  const functionName = await reconcileFunction();
  // Asked for all the time: between the first object and the last there is not even a second.
  await until('the first part live', async () => ((await live()) > 0 ? true : undefined), {
    pollMilliseconds: 5,
  });
  const killed = await killFunction(installation.aws, functionName);
  const then = await live();
  assert.ok(then < many.length, 'it was killed too late to show anything');
  process.stderr.write(`killed ${killed} with ${then} of ${many.length} parts live\n`);
  // The dead run's message blocks the target's group for as long as it is invisible; the schedule is the way round it.
  await until(
    'a run that ends what the dead one began',
    async () => {
      await sweepNow(stage);
      return (await runsOf(push.sha)).find(({ value }) => value.outcome?.kind === 'applied');
    },
    { seconds: 300, pollMilliseconds: 5_000 },
  );
  assert.equal(await live(), many.length);
  const inventory = await stage.records.inventory(target);
  const entries = Object.values(inventory?.entries ?? {}).filter(({ ref }) => ref.name.startsWith('part-'));
  assert.equal(entries.length, many.length);
  assert.ok(entries.every(({ state, created, uid }) => state === 'applied' && created && uid !== undefined));
});
