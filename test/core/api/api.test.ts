import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answerApi } from '../../../core/api.ts';
import {
  actionBodySchemas,
  fleetSchema,
  targetDetailSchema,
  type Action,
} from '../../../core/api/contract.ts';
import type { Person } from '../../../core/api/person.ts';
import { routes, type RouteName } from '../../../core/api/routes.ts';
import { keys, prefixes } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { readEpisodes, recordFindings } from '../../../core/episodes.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import { driftRecordSchema } from '../../../core/model/drift.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { refKey, type ObjectRef } from '../../../core/model/object.ts';
import type { Target } from '../../../core/model/target.ts';
import { readSuspensions } from '../../../core/suspend.ts';
import { ada, all, at, bodyOf, bus, detailOf, fleet, get, pat, pay, post, statusOf, vic } from './asking.ts';
import './record-cases.ts';

const pathOf = (target: Target, { path }: { readonly path: string }): string =>
  path.replace('{cluster}', target.cluster).replace('{application}', target.application);

/** One of the default project, with runs of two snapshots. */
async function rolledForward(): Promise<Target> {
  for (const target of all) {
    const { row, runs } = await detailOf(target);
    const applied = runs.filter(({ outcome }) => outcome === 'applied');
    if (row.revision > 1 && new Set(applied.map(({ snapshot }) => snapshot)).size > 1) return target;
  }
  return assert.fail('no target has two snapshots');
}

describe('questions', () => {
  test('each is answered in the form that is published, to the last member', async () => {
    const target = await rolledForward();
    const { objects, runs, snapshot } = await detailOf(target);
    const time = new Date(fleet.deps.clock.now()).toISOString();
    const older = runs.at(-1)?.snapshot ?? '';
    const queries: Partial<Record<RouteName, Record<string, string>>> = {
      object: { key: objects[0]?.key ?? '' },
      run: { key: runs[0]?.key ?? '' },
      map: { base: older, head: snapshot },
      instant: { time },
      comparison: { from: older, to: time },
    };
    // Those of a cluster itself are in live.test.ts.
    const { live: _, logs: __, ...recorded } = routes;
    for (const [name, route] of Object.entries(recorded)) {
      const body = bodyOf(await get(pathOf(target, route), queries[name as RouteName]));
      // Strict in what it holds: parsing takes away what the schema does not name.
      assert.deepEqual(route.answer.parse(body), body, name);
    }
  });

  test('an answer has the same ETag until something changes', async () => {
    const etag = async () => {
      const answer = await get('fleet');
      return answer.kind === 'answer' ? answer.etag : '';
    };
    const first = await etag();
    assert.match(first, /^"[0-9a-f]{33}"$/);
    assert.equal(await etag(), first);
    await post(at(pay, '/suspend'), { reason: 'to see' });
    assert.notEqual(await etag(), first);
    await post(at(pay, '/resume'));
  });

  test('what there is not, is 404; what is asked wrong, 400, with what to do', async () => {
    for (const path of [
      '',
      'x',
      'fleet/x',
      'targets',
      'targets/a',
      at(pay, '/x'),
      'targets/a%2Fb/c',
      'targets/../x/runs',
      'targets/%zz/x',
    ])
      assert.equal(statusOf(await get(path)), 404, path);
    assert.equal(statusOf(await get(at({ cluster: 'nowhere', application: 'x' }))), 404);
    assert.equal(statusOf(await get(at(pay, '/run'), { key: keys.desired(pay) })), 404);
    for (const [path, query] of [
      ['fleet', { limit: '501' }],
      ['fleet', { sync: 'Perfect' }],
      [at(pay, '/at'), { time: 'Tuesday' }],
      [at(pay, '/object'), {}],
      [at(pay, '/map'), { base: '../../desired/x' }],
      ['insights', { days: '1000' }],
    ] as const) {
      const answer = await get(path, query);
      assert.ok(answer.kind === 'problem' && answer.problem.status === 400, path);
      const [name = ''] = Object.keys(query);
      assert.ok(answer.problem.detail.includes(name), answer.problem.detail);
    }
    const put = { method: 'PUT', path: 'fleet', query: {}, person: ada };
    assert.equal(statusOf(await answerApi(put, fleet.deps)), 405);
  });

  test('no value of a Secret is in any answer, sealed or open', async () => {
    const texts: string[] = [];
    let secrets = 0;
    for (const target of all) {
      const detail = await detailOf(target);
      texts.push(JSON.stringify([detail, bodyOf(await get(at(target, '/map')))]));
      for (const { key } of detail.objects.filter(({ kind }) => kind === 'Secret')) {
        secrets += 1;
        texts.push(JSON.stringify(bodyOf(await get(at(target, '/object'), { key }))));
      }
      const [head, old] = [detail.snapshot, detail.runs.at(-1)?.snapshot ?? detail.snapshot];
      texts.push(JSON.stringify(bodyOf(await get(at(target, '/diff'), { from: old, to: head }))));
    }
    const whole = texts.join('\n');
    assert.ok(secrets > 0, 'there is no Secret to look for');
    assert.doesNotMatch(whole, /sealed:/);
    // A keyed digest of each is there instead, by which a change is seen.
    assert.match(whole, /"hmac:[0-9a-f]{64}"/);
    const values = await Array.fromAsync(fleet.deps.store.list(prefixes.snapshots), async (key) => {
      const stored = await fleet.deps.store.get(key);
      return [...(stored?.text ?? '').matchAll(/sealed:v1:[^"]*:([\w+/=-]+)"/g)].map(([, text = '']) => text);
    });
    assert.ok(values.flat().length > 0);
    for (const value of values.flat()) assert.ok(!whole.includes(value));
  });
});

describe('who may what', () => {
  test('a project that is not theirs is not there: no row, no count, no answer, no action', async () => {
    const body = fleetSchema.parse(bodyOf(await get('fleet', {}, pat)));
    assert.deepEqual(
      body.rows.map(({ cluster, application }) => ({ cluster, application })),
      [pay],
    );
    assert.deepEqual([body.total, body.facets.clusters], [1, [pay.cluster]]);
    const clusters = bodyOf(await get('clusters', {}, pat));
    assert.equal(JSON.stringify(clusters).match(/"targets":[1-9]/g)?.length, 1);
    const other = all[0] ?? assert.fail();
    const unseen = await get(at(other), {}, pat);
    const none = await get(at({ ...other, application: 'no-such' }), {}, pat);
    // Word for word what is said of one that is not there.
    assert.equal(JSON.stringify(unseen).replaceAll(other.application, 'no-such'), JSON.stringify(none));
    for (const route of Object.values(routes).filter(({ path }) => path.startsWith('targets/')))
      assert.ok([400, 404].includes(statusOf(await get(pathOf(other, route), {}, pat))), route.path);
    for (const action of Object.keys(actionBodySchemas))
      assert.equal(statusOf(await post(at(other, `/${action}`), {}, pat)), 404, action);
    const told = JSON.stringify([
      bodyOf(await get('timeline', {}, pat)),
      bodyOf(await get('insights', {}, pat)),
      bodyOf(await get('deliveries', {}, pat)),
    ]);
    for (const { application } of all.filter((each) => each.application !== pay.application))
      assert.ok(!told.includes(`"${application}"`), application);
  });

  test('a viewer looks, is offered nothing, and changes nothing', async () => {
    const writes = fleet.asked.length;
    const detail = targetDetailSchema.parse(bodyOf(await get(at(pay), {}, vic)));
    assert.deepEqual(detail.actions, []);
    for (const action of Object.keys(actionBodySchemas)) {
      const body = { reason: 'x', objects: 1, record: 'x' };
      assert.equal(statusOf(await post(at(pay, `/${action}`), body, vic)), 403, action);
    }
    assert.equal(fleet.asked.length, writes);
    assert.equal((await readSuspensions(fleet.deps.store))?.active.length ?? 0, 0);
  });

  test('an operator of the project does', async () => {
    const { actions } = targetDetailSchema.parse(bodyOf(await get(at(pay), {}, pat)));
    assert.ok(actions.includes('sync'), actions.join());
    assert.equal(statusOf(await post(at(pay, '/sync'), {}, pat)), 200);
    assert.match(fleet.asked.at(-1)?.requestedBy ?? '', /^pat@example\.com id-/);
  });
});

describe('actions do what the command line does, and record who', () => {
  const last = () => fleet.asked.at(-1) ?? assert.fail('nothing was asked for');

  test('sync and confirm-prune ask for a run, with the revision that was seen', async () => {
    const { row } = await detailOf(pay);
    assert.equal(statusOf(await post(at(pay, '/sync'))), 200);
    const { requestedBy, trace, ...request } = last();
    const { holdsSeen, ...rest } = request;
    assert.ok(holdsSeen !== undefined, 'what was cancelled before is known');
    assert.deepEqual(rest, { version: 1, target: pay, reason: 'sync', revision: row.revision });
    assert.match(requestedBy, /^ada@example\.com id-\d+$/);
    assert.equal(trace?.id.length, 32);
    await post(at(pay, '/confirm-prune'), { objects: 7 });
    assert.deepEqual([last().confirmPrune, last().revision], [7, row.revision]);
  });

  test('restart asks for one of its workloads, and cancel stops what is under way, if anything is', async () => {
    assert.equal(statusOf(await post(at(pay, '/restart'))), 200);
    assert.deepEqual([last().reason, last().target], ['restart', pay]);
    assert.match(last().restartedAt ?? '', /^\d{4}-/);
    assert.equal(statusOf(await post(at(pay, '/cancel'))), 409);
    const lease = keys.lease(pay);
    const expiresAt = fleet.deps.clock.now() + 60_000;
    const held = { version: 1, holder: 'x', token: 7, acquiredAt: 0, expiresAt };
    await fleet.deps.store.put(lease, JSON.stringify(held), 'any');
    assert.equal(statusOf(await post(at(pay, '/cancel'))), 200);
    await fleet.deps.store.delete(lease, 'any');
    const [cancelled] = (await readSuspensions(fleet.deps.store))?.cancelled ?? [];
    assert.deepEqual([cancelled?.by, cancelled?.target, cancelled?.token], [ada.name, pay, 7]);
  });

  test('suspend holds it, with reason and end; then nothing but resume is done; resume goes on', async () => {
    const until = new Date(fleet.deps.clock.now() + 3_600_000).toISOString();
    assert.equal(statusOf(await post(at(pay, '/suspend'), { reason: 'release', until })), 200);
    const [held] = (await readSuspensions(fleet.deps.store))?.active ?? [];
    assert.deepEqual(
      [held?.by, held?.reason, held?.until, held?.cluster, held?.application],
      [ada.name, 'release', until, pay.cluster, pay.application],
    );
    assert.deepEqual((await detailOf(pay)).actions, ['resume']);
    for (const action of ['sync', 'rollback', 'confirm-prune'])
      assert.equal(statusOf(await post(at(pay, `/${action}`), { reason: 'x', objects: 1 })), 409, action);
    assert.equal(statusOf(await post(at(pay, '/resume'))), 200);
    assert.deepEqual([last().reason, last().requestedBy], ['pending', ada.name]);
    assert.equal((await readSuspensions(fleet.deps.store))?.ended[0]?.endedBy, ada.name);
    assert.equal(statusOf(await post(at(pay, '/resume'))), 409);
  });

  test('rollback pins what was before, says so on the bus, and lift ends it', async () => {
    const target = await rolledForward();
    const { snapshot } = await detailOf(target);
    assert.equal(statusOf(await post(at(target, '/lift'))), 409);
    assert.equal(statusOf(await post(at(target, '/rollback'), { reason: 'slow' })), 200);
    const pointer = async () =>
      (await readDocument(fleet.deps.store, keys.desired(target), desiredPointerSchema))?.value;
    const pinned = await pointer();
    assert.notEqual(pinned?.snapshot, snapshot);
    assert.deepEqual([pinned?.pin?.by, pinned?.pin?.reason], [ada.name, 'slow']);
    const told = bus.events.findLast(({ type }) => type === 'RolledBack');
    assert.ok(
      told?.type === 'RolledBack' && told.detail.by === ada.name && told.detail.from.snapshot === snapshot,
    );
    assert.deepEqual([last().reason, last().target, last().revision], ['sync', target, pinned?.revision]);
    assert.equal(statusOf(await post(at(target, '/lift'))), 200);
    assert.deepEqual([(await pointer())?.snapshot, (await pointer())?.pin], [snapshot, undefined]);
  });

  test('accept-drift takes this drift of this target, quietly', async () => {
    const { store } = fleet.deps;
    const { value: inventory } =
      (await readDocument(store, keys.inventory(pay), inventorySchema)) ?? assert.fail();
    const ref: ObjectRef = Object.values(inventory.entries)[0]?.ref ?? assert.fail();
    const field = { class: 'changed' as const, path: 'spec.replicas', pointer: '/spec/replicas', live: 3 };
    const drift = { ref, kind: 'fields' as const, fields: [field] };
    const metrics = { put: async () => undefined };
    const loopBreaker = { flips: 3, minutes: 30 };
    const found = { target: pay, drifts: new Map([[refKey(ref), drift]]), isJudged: () => true, loopBreaker };
    await recordFindings({ ...fleet.deps, bus, metrics }, found);
    const [episode] = Object.values(await readEpisodes(store, pay));
    const record = episode?.record ?? assert.fail();
    const events = bus.events.length;
    const elsewhere = await post(at(all[0] ?? assert.fail(), '/accept-drift'), { record, reason: 'x' });
    assert.equal(statusOf(elsewhere), 404);
    assert.equal(statusOf(await post(at(pay, '/accept-drift'), { record, reason: 'HPA' })), 200);
    const after = await readDocument(store, keys.inventory(pay), inventorySchema);
    assert.deepEqual(
      after?.value.accepted.map(({ by, rule }) => [by, rule.fields, rule.reason]),
      [[ada.name, ['/spec/replicas'], 'HPA']],
    );
    assert.equal((await readDocument(store, record, driftRecordSchema))?.value.state, 'accepted');
    assert.equal(bus.events.length, events);
  });

  test('a body that is none of theirs does nothing', async () => {
    const asked = fleet.asked.length;
    const bodies: Readonly<Record<Action, unknown>> = {
      sync: { prune: true },
      cancel: { run: 'x' },
      restart: { pods: 2 },
      heal: { kinds: ['Secret'] },
      suspend: { reason: '' },
      resume: { cluster: 'x' },
      rollback: { reason: 'x', until: 'tomorrow' },
      lift: null,
      'confirm-prune': { objects: -1 },
      'accept-drift': { record: 'x' },
    };
    for (const [action, body] of Object.entries(bodies))
      assert.equal(statusOf(await post(at(pay, `/${action}`), body)), 400, action);
    assert.equal(fleet.asked.length, asked);
  });
});

test('an application that names no project is in that of its repository', async () => {
  const { deps } = fleet;
  const repositories = deps.config.repositories.map((one) => ({ ...one, project: 'bound' }));
  const bound = { ...deps, config: { ...deps.config, repositories } };
  const ask = async (projects: string[]): Promise<number> => {
    const person: Person = { name: 'x', grants: [{ role: 'operator', projects }] };
    const answer = await answerApi({ method: 'GET', path: 'fleet', query: {}, person }, { ...bound, bus });
    return fleetSchema.parse(bodyOf(answer)).total;
  };
  assert.equal(await ask(['default']), 0);
  assert.ok((await ask(['bound'])) > 0);
});

test('a record that nobody can read takes the fleet away from nobody', async () => {
  const { store } = fleet.deps;
  const total = fleetSchema.parse(bodyOf(await get('fleet'))).total;
  await store.put(keys.desired({ cluster: 'secret', application: 'broken' }), '{"version":9}', 'any');
  assert.equal(fleetSchema.parse(bodyOf(await get('fleet'))).total, total);
});
