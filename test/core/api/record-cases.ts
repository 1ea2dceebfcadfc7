import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerApi } from '../../../core/api.ts';
import {
  fleetSchema,
  insightsSchema,
  mapSchema,
  targetDetailSchema,
  timelineSchema,
} from '../../../core/api/contract.ts';
import { liveObjectSchema } from '../../../core/api/contract-live.ts';
import type { Person } from '../../../core/api/person.ts';
import { keys, prefixes } from '../../../core/contract/keys.ts';
import { recordFindings } from '../../../core/episodes.ts';
import { readDocument, updateDocument } from '../../../core/documents.ts';
import type { LiveCluster } from '../../../core/live-ports.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import { isoTime } from '../../../core/model/time.ts';
import type { Store } from '../../../core/ports.ts';
import { ada, all, at, bodyOf, bus, detailOf, fleet, get, pat, pay, post, statusOf } from './asking.ts';

/* Tests of `api.test.ts`, whose process has simulated the fleet already: that takes seconds. */

/** Which folders are listed for a question. */
async function listedFor(path: string, query: Record<string, string>, person = ada): Promise<string[]> {
  const { store } = fleet.deps;
  const listed: string[] = [];
  const watched: Store = {
    get: async (key) => store.get(key),
    put: async (...args) => store.put(...args),
    delete: async (...args) => store.delete(...args),
    entries: async (prefix) => store.entries(prefix),
    list: (prefix, options) => {
      listed.push(prefix);
      return store.list(prefix, options);
    },
  };
  bodyOf(await answerApi({ method: 'GET', path, query, person }, { ...fleet.deps, bus, store: watched }));
  return listed.filter((prefix) => prefix.startsWith(prefixes.runs) || prefix.startsWith(prefixes.drift));
}

test('a timeline tells runs, drift, health and holds; of one target it lists the folders of that one alone', async () => {
  await post(at(pay, '/suspend'), { reason: 'release' });
  await post(at(pay, '/resume'));
  const asked = { ...pay, from: '1970-01-01T00:00:00Z' };
  const { events } = timelineSchema.parse(bodyOf(await get('timeline', asked)));
  const hold = events.find(({ kind, detail }) => kind === 'hold' && detail.startsWith('release'));
  assert.match(`${hold?.title}: ${hold?.detail}`, /^suspended by ada@example\.com: release; resumed by ada/);
  const whole = timelineSchema.parse(bodyOf(await get('timeline')));
  const kinds = new Set(whole.events.map(({ kind }) => kind));
  for (const kind of ['run', 'drift', 'health', 'hold'] as const)
    assert.ok(kinds.has(kind), [...kinds].join());
  const change = whole.events.find(({ kind }) => kind === 'health');
  assert.match(change?.title ?? '', /^\w+ → \w+$/);
  for (const folder of await listedFor('timeline', { ...pay }))
    assert.ok(folder.endsWith(`/${pay.cluster}/${pay.application}/`), folder);
  for (const folder of await listedFor('timeline', { cluster: pay.cluster }))
    assert.ok(folder.includes(`/${pay.cluster}/`), folder);
});

test('a push and an image are told of whom they concern: of one target, one cluster, one project', async () => {
  const { store, clock } = fleet.deps;
  const { value: pointer } =
    (await readDocument(store, keys.desired(pay), desiredPointerSchema)) ?? assert.fail();
  const [image = assert.fail('it names no image')] = await fleet.deps.book.images.of(
    pay.application,
    pointer.snapshot,
  );
  const receivedAt = isoTime(clock.now() - 60_000);
  const known = { version: 1, provider: 'ecr', bodyDigest: 'x', event: 'push', receivedAt, attempts: 1 };
  const published = { ...known, state: 'published', claimExpiresAt: receivedAt } as const;
  const push = { repository: pointer.repository, ref: pointer.ref, before: 'a', after: 'b' };
  const outcome = 'commit 36ec0bd: 1 unchanged (pay), 1 failed (other-team)';
  const told = {
    '1': { images: [{ repository: image, tag: '9' }] },
    '2': { pushes: [push], outcome, failed: true },
  };
  const other = { '3': { images: [{ repository: 'docker.io/acme/of-nobody', tag: '1' }] } };
  for (const [id, what] of Object.entries({ ...told, ...other })) {
    const key = keys.delivery('ecr', id);
    await store.put(key, JSON.stringify({ ...published, id, ...what }), 'any');
    await store.put(keys.deliveryLog('ecr', receivedAt, id), '', 'any');
  }
  const deliveries = async (query: Record<string, string>, person = ada) =>
    timelineSchema
      .parse(bodyOf(await get('timeline', query, person)))
      .events.filter(({ title }) => title.startsWith('ecr: '))
      .map(({ kind, state, detail }) => `${kind} ${state} ${detail}`.trim())
      .toSorted();
  assert.deepEqual(await deliveries({ ...pay }), ['image good', `push bad ${outcome}`]);
  assert.deepEqual(await deliveries({ cluster: pay.cluster }), ['image good', `push bad ${outcome}`]);
  assert.deepEqual(await deliveries({}), ['image good', 'image good', `push bad ${outcome}`]);
  // What came of a commit names applications of others; that something failed does not.
  assert.deepEqual(await deliveries({ ...pay }, pat), ['image good', 'push bad']);
  assert.deepEqual(await deliveries({}, pat), ['image good', 'push bad']);
  assert.deepEqual(await deliveries({ cluster: 'nowhere' }), []);
});

test('by names, pages miss no row and tell none twice while others come, go and turn bad', async () => {
  const { store } = fleet.deps;
  const page = async (query: Record<string, string>) =>
    fleetSchema.parse(bodyOf(await get('fleet', { limit: '3', sort: 'name', ...query })));
  const seen: string[] = [];
  let last: string | undefined;
  const [first, whole] = [await page({}), await page({ limit: '500' })];
  for (let next = first; next.rows.length > 0; next = await page({ after: last ?? '' })) {
    assert.equal(next.total, first.total + (last === undefined ? 0 : 1));
    seen.push(...next.rows.map(({ cluster, application }) => `${cluster}/${application}`));
    last = seen.at(-1);
    // One that comes before all of them: an offset would lead to a row that was told.
    const [model = ''] = await Array.fromAsync(store.list(prefixes.desired, { limit: 1 }));
    const { value } = (await readDocument(store, model, desiredPointerSchema)) ?? assert.fail();
    const target = { ...value.target, application: 'aaa' };
    await store.put(keys.desired(target), JSON.stringify({ ...value, target }), 'any');
  }
  assert.deepEqual(
    seen,
    whole.rows.map(({ cluster, application }) => `${cluster}/${application}`),
  );
  assert.equal(statusOf(await get('fleet', { after: 'no-cluster' })), 400);
  await store.delete(keys.desired({ cluster: all[0]?.cluster ?? '', application: 'aaa' }), 'any');
});

test('who takes a name that was freed sees no run and no drift of before; who sees all, does', async () => {
  const { store } = fleet.deps;
  const { repository } = await readDocument(store, keys.desired(pay), desiredPointerSchema).then(
    (read) => read?.value ?? assert.fail(),
  );
  const rename = async (to: string) =>
    updateDocument(
      store,
      keys.desired(pay),
      desiredPointerSchema,
      (pointer) => pointer && { ...pointer, repository: to },
    );
  const told = async (person: Person) => {
    const [runs, drift, timeline] = [
      bodyOf(await get(at(pay, '/runs'), {}, person)),
      bodyOf(await get(at(pay, '/drift'), {}, person)),
      timelineSchema.parse(bodyOf(await get('timeline', { ...pay }, person))),
    ];
    const kinds = new Set(timeline.events.map(({ kind }) => kind));
    return [runs, drift, ['run', 'heal', 'drift'].filter((kind) => [...kinds].some((one) => one === kind))];
  };
  const { runs } = await detailOf(pay);
  const key = runs[0]?.key ?? assert.fail();
  await rename('taken');
  assert.deepEqual(await told(pat), [[], [], []]);
  assert.equal(statusOf(await get(at(pay, '/run'), { key }, pat)), 404);
  assert.equal(statusOf(await get(at(pay, '/run'), { key })), 200);
  assert.notDeepEqual(await told(ada), [[], [], []]);
  await rename(repository);
  assert.equal(statusOf(await get(at(pay, '/run'), { key }, pat)), 200);
});

test('applications are drawn with what they wait for, and against what is live', async () => {
  const { store } = fleet.deps;
  const other =
    all.find(({ cluster, application }) => cluster === pay.cluster && application !== pay.application) ??
    assert.fail();
  await updateDocument(
    store,
    keys.desired(pay),
    desiredPointerSchema,
    (pointer) =>
      pointer && {
        ...pointer,
        settings: { ...pointer.settings, dependsOn: [{ application: other.application }] },
      },
  );
  const ids = [pay, other].map(({ cluster, application }) => `app:${cluster}/${application}`);
  const [from = '', to = ''] = ids;
  const whole = mapSchema.parse(bodyOf(await get('map', { cluster: pay.cluster })));
  assert.deepEqual(whole.edges, [{ from, to, kind: 'depends' }]);
  assert.ok(whole.nodes.every(({ cluster, sync, health }) => cluster === pay.cluster && sync && health));
  // Of what pat may not see there is the name, which their own application says.
  const seen = mapSchema.parse(bodyOf(await get('map', {}, pat)));
  assert.deepEqual(
    seen.nodes.map(({ id, sync }) => [id, sync !== undefined]),
    [
      [from, true],
      [to, false],
    ],
  );
  const near = mapSchema.parse(bodyOf(await get(at(other, '/map'))));
  assert.deepEqual(
    near.edges.filter(({ kind }) => kind === 'depends'),
    [{ from, to, kind: 'depends' }],
  );
  const live = mapSchema.parse(bodyOf(await get(at(pay, '/map'), { against: 'live' })));
  const { objects } = await detailOf(pay);
  const differing = objects.filter(
    ({ state, drift, kept }) => drift ?? kept ?? (state !== 'applied' || undefined),
  );
  assert.deepEqual(
    live.nodes
      .filter(({ change }) => change !== undefined)
      .map(({ id }) => id)
      .sort(),
    differing.map(({ key }) => key).sort(),
  );
});

test('an object that a sweep found missing is not as healthy as the last run saw it', async () => {
  const { objects } = await detailOf(pay);
  const { key, group, kind, namespace, name } =
    objects.find(({ state, drift }) => state === 'applied' && drift === undefined) ?? assert.fail();
  const ref = { group, kind, name, ...(namespace !== undefined && { namespace }) };
  const drifts = new Map([[key, { ref, kind: 'missing' as const, fields: [] }]]);
  const metrics = { put: async () => undefined };
  const found = { target: pay, drifts, isJudged: () => true, loopBreaker: { flips: 3, minutes: 30 } };
  await recordFindings({ ...fleet.deps, bus, metrics }, found);
  const row = (await detailOf(pay)).objects.find((one) => one.key === key);
  assert.deepEqual([row?.drift, row?.health], ['missing', 'Missing']);
  await recordFindings({ ...fleet.deps, bus, metrics }, { ...found, drifts: new Map() });
  assert.notEqual((await detailOf(pay)).objects.find((one) => one.key === key)?.health, 'Missing');
});

test('the cost of the month is told to those who see all, and of a store of one’s own to nobody', async () => {
  const { cost } = insightsSchema.parse(bodyOf(await get('insights')));
  assert.ok(cost !== undefined && cost.usd > 0 && cost.wholeMonth >= cost.usd, JSON.stringify(cost));
  assert.match(cost.of, /estimate/);
  assert.equal(insightsSchema.parse(bodyOf(await get('insights', {}, pat))).cost, undefined);
  const own = { ...fleet.deps, bus, installed: false };
  const local = await answerApi({ method: 'GET', path: 'insights', query: {}, person: ada }, own);
  assert.equal(insightsSchema.parse(bodyOf(local)).cost, undefined);
});

test('what is live is asked of a cluster where there is a way to it, of objects of the target alone', async () => {
  const { objects } = await detailOf(pay);
  const secret = objects.find(({ kind, state }) => kind === 'Secret' && state === 'applied') ?? assert.fail();
  const asked: string[] = [];
  const cluster: LiveCluster = {
    resources: async () => [],
    get: async ({ plural, name, namespace }) => {
      asked.push(`${plural} ${name}`);
      const metadata = {
        name,
        uid: 'u',
        resourceVersion: '1',
        ...(namespace !== undefined && { namespace }),
      };
      return { apiVersion: 'v1', kind: 'Secret', metadata, data: { password: 'aHVudGVyMg==' } };
    },
    list: async () => ({ resourceVersion: '1', items: [] }),
    events: async () => [
      { involvedObject: { kind: 'Secret', name: 'x' }, lastTimestamp: '2026-11-23T10:00:00Z' },
    ],
    logs: async () => assert.fail('it runs no pod'),
  };
  const live = { reaches: (name: string) => name === pay.cluster, connect: async () => cluster };
  const ask = async (path: string, query: Record<string, string>, person = ada) =>
    answerApi({ method: 'GET', path, query, person }, { ...fleet.deps, bus, live });
  const query = { key: secret.key };
  const told = liveObjectSchema.parse(bodyOf(await ask(at(pay, '/live'), query)));
  assert.deepEqual(asked, [`secrets ${secret.name}`]);
  assert.doesNotMatch(JSON.stringify(told), /aHVudGVyMg/);
  assert.deepEqual([told.events.length, told.pods], [1, []]);
  assert.equal(statusOf(await ask(at(pay, '/logs'), { ...query, pod: 'p', container: 'c' })), 404);
  assert.equal(statusOf(await ask(at(pay, '/live'), { key: '/Secret/kube-system/other' })), 404);
  assert.equal(targetDetailSchema.parse(bodyOf(await ask(at(pay), {}))).live, true);
  const elsewhere = all.find(({ cluster: name }) => name !== pay.cluster) ?? assert.fail();
  const [first] = (await detailOf(elsewhere)).objects;
  assert.equal(statusOf(await ask(at(elsewhere, '/live'), { key: first?.key ?? '' })), 409);
  assert.equal(statusOf(await ask(at(elsewhere, '/live'), { key: first?.key ?? '' }, pat)), 404);
  assert.equal(asked.length, 2);
  // An installation has no way to any.
  const { live: _, ...installed } = fleet.deps;
  const there = async (path: string, of: Record<string, string>) =>
    answerApi({ method: 'GET', path, query: of, person: ada }, { ...installed, bus });
  assert.equal(statusOf(await there(at(pay, '/live'), query)), 409);
  assert.equal(targetDetailSchema.parse(bodyOf(await there(at(pay), {}))).live, false);
});
