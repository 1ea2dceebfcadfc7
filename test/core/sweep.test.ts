import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { acquireLease } from '../../core/lease.ts';
import type { Inventory } from '../../core/model/inventory.ts';
import { sweepFleet } from '../../core/sweep.ts';
import { SweepWorld, configMap, deployment, secret, webAddress } from './sweep/sweep-world.ts';

const web = { cluster: 'east', application: 'web' };
const shopAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'shop' };
const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const observe = { drift: 'observe' } as const;

let world: SweepWorld;
beforeEach(() => {
  world = new SweepWorld();
});

function reasons(): string[] {
  return world.queues.runs.map(({ target, reason }) => `${target.application} ${reason}`);
}

async function states(): Promise<string[]> {
  return (await world.records()).map((record) => `${record?.drift.kind} ${record?.state}`);
}

/** As a run that failed leaves it. */
function failedRun(revision: number, retry: boolean): Inventory['lastRun'] {
  const at = new Date(world.clock.now()).toISOString();
  return {
    runId: 'r',
    key: 'k',
    revision,
    outcome: 'failed',
    at,
    message: 'the server said no',
    attempt: 3,
    retry,
  };
}

describe('a sweep that finds nothing', () => {
  it('writes one document for all targets, and sends one figure', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    world.store.writes.length = 0;
    world.cluster.requests.length = 0;
    const { targets, requestedBy } = await world.sweepAll();
    assert.deepEqual(
      Object.values(targets).map(({ sync, reason, drifted, revision }) => [sync, reason, drifted, revision]),
      [
        ['Synced', '', 0, 1],
        ['Synced', '', 0, 1],
      ],
    );
    assert.equal(requestedBy, 'test');
    assert.deepEqual(world.store.writes, ['checks/east.json']);
    assert.deepEqual(world.sentMetrics(), ['OldestCheckSeconds 0']);
    assert.deepEqual([world.bus.events, world.queues.runs], [[], []]);
    const kinds = Object.groupBy(world.cluster.requests, (request) => request.split(' ')[0] ?? '');
    assert.deepEqual([kinds['get']?.length, kinds['dry-run']?.length, kinds['list']?.length], [3, 3, 2]);
  });

  it('leaves a target alone that is not due yet, and does not call it unchecked', async () => {
    await world.deploy('web', [configMap('front')], { intervalSeconds: 3600 });
    const first = await world.sweep();
    world.clock.advance(30 * minute);
    world.cluster.edit({ ...shopAddress, name: 'front' }, { data: { a: '2' } });
    assert.deepEqual(await world.sweep(), first);
    assert.deepEqual(world.sentMetrics(), ['OldestCheckSeconds 0', 'OldestCheckSeconds 0']);
    world.clock.advance(30 * minute);
    assert.equal((await world.sweep())?.sync, 'Drifted');
  });
});

describe('drift', () => {
  it('is recorded, told and healed by a run where the mode is heal', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Drifted', 1]);
    const [record] = await world.records();
    assert.equal(record?.drift.fields[0]?.path, 'spec.replicas');
    assert.deepEqual([record?.mode, record?.drift.fields[0]?.manager], ['heal', 'kubectl-edit']);
    assert.deepEqual(
      world.bus.events.map(({ type }) => type),
      ['DriftDetected'],
    );
    assert.deepEqual(reasons(), ['web heal']);
    assert.ok(
      world.cluster.requests.every((request) => !request.startsWith('apply') || request.includes('front')),
    );
  });

  it('is only recorded where the mode is observe; figures are sent while it lasts and once as 0', async () => {
    await world.deploy('web', [deployment('front')], observe);
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    assert.deepEqual(reasons(), []);
    const figures = ['DriftedObjects 1', 'OldestDriftSeconds 3600', 'ForeignFields 0'];
    assert.deepEqual(world.sentMetrics(), [
      'OldestCheckSeconds 0',
      ...figures,
      ...figures.map((each) => `fleet ${each}`),
    ]);
    world.store.writes.length = 0;
    world.clock.advance(minute);
    await world.sweep();
    assert.deepEqual(world.store.writes, ['checks/east.json']);
    assert.ok(world.sentMetrics().includes('OldestDriftSeconds 3660'));
    world.cluster.edit(webAddress, { spec: { replicas: 2 } }, 'trueup');
    assert.equal((await world.sweep())?.sync, 'Synced');
    assert.deepEqual(await states(), ['fields reverted']);
    assert.ok(world.sentMetrics().includes('DriftedObjects 0'));
    await world.sweep();
    assert.deepEqual(world.sentMetrics(), ['OldestCheckSeconds 0']);
  });

  it('by foreign fields alone is recorded under a figure of its own: no alarm, no run', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, { metadata: { annotations: { note: 'x' } } });
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Synced', 0]);
    assert.deepEqual(await states(), ['fields open']);
    assert.deepEqual(world.sentMetrics().slice(1, 4), [
      'DriftedObjects 0',
      'OldestDriftSeconds 0',
      'ForeignFields 1',
    ]);
    assert.deepEqual(reasons(), []);
  });

  it('is seen when an object is gone, and when our label was taken off', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    await world.cluster.delete({ ...shopAddress, name: 'front' });
    const check = await world.sweep();
    assert.deepEqual(await states(), ['missing open']);
    assert.deepEqual(
      [check?.health, check?.healthMessage],
      ['Missing', 'ConfigMap web/front: is not on the cluster'],
    );
    world.cluster.edit(webAddress, { metadata: { labels: { 'trueup.dev/application': 'other' } } });
    assert.equal((await world.sweep())?.drifted, 2);
  });

  it('by an extra object is recorded and never healed; another application knows its own', async () => {
    await world.deploy('web', [configMap('front')]);
    await world.deploy('shop', [configMap('shop')]);
    const label = { metadata: { labels: { 'trueup.dev/application': 'web' } } };
    const copy = { ...shopAddress, name: 'copy' };
    world.cluster.edit(
      copy,
      { ...configMap('copy'), ...label, metadata: { ...label.metadata, name: 'copy', namespace: 'web' } },
      'kubectl-create',
    );
    assert.equal((await world.sweep())?.drifted, 1);
    assert.deepEqual(await states(), ['extra open']);
    assert.deepEqual(reasons(), []);
    await world.cluster.delete(copy);
    await world.sweep();
    assert.deepEqual(await states(), ['extra reverted']);
  });

  it('is no object that pruning was told to leave behind', async () => {
    const pointer = await world.deploy('web', [configMap('front'), configMap('old')], { prune: false });
    const old = (await world.resolve(pointer)).find(({ ref }) => ref.name === 'old');
    await world.changeInventory('web', ({ entries: { [old?.key ?? '']: _, ...entries } }) => ({ entries }));
    assert.equal((await world.sweep())?.sync, 'Synced');
    await world.changePointer('web', { settings: { ...pointer.settings, prune: true } });
    assert.equal((await world.sweep())?.drifted, 1);
  });

  it('of a Secret shows nowhere in the clear', async () => {
    await world.deploy('web', [secret('key', 'c2VjcmV0')], observe);
    const address = { apiVersion: 'v1', plural: 'secrets', namespace: 'web', name: 'key' };
    world.cluster.edit(address, { data: { password: 'b3RoZXI=' } });
    await world.sweep();
    const names = await Array.fromAsync(world.store.list(''));
    const texts = await Promise.all(
      names.filter((name) => !name.startsWith('snapshots/')).map((name) => world.store.get(name)),
    );
    const everything = JSON.stringify([texts, world.bus.events]);
    assert.match(everything, /hmac:[0-9a-f]{64}/);
    assert.doesNotMatch(everything, /c2VjcmV0|b3RoZXI=/);
  });
});

describe('against running work', () => {
  it('a target whose lease is held is Reconciling, and nothing is recorded', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    await acquireLease(world.deps, web);
    const check = await world.sweep();
    assert.equal(check?.sync, 'Reconciling');
    assert.deepEqual([await states(), reasons()], [[], []]);
  });

  it('a run that came and went in between makes what was seen worthless', async () => {
    await world.deploy('web', [deployment('front')]);
    world.cluster.edit(webAddress, scaled);
    const meanwhile: Promise<void>[] = [];
    world.cluster.before = (request) => {
      if (request.startsWith('dry-run')) meanwhile.push(world.changeInventory('web', () => ({})));
    };
    assert.equal((await world.sweep())?.sync, 'Reconciling');
    await Promise.all(meanwhile);
    assert.deepEqual([await states(), reasons()], [[], []]);
  });
});

describe('a commit that is not applied', () => {
  it('is Pending and no drift; the backstop asks for a run when it still is at the next sweep', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    const check = await world.sweep();
    assert.deepEqual(
      [check?.sync, check?.reason, check?.drifted],
      ['Pending', 'commit c0ffee0 is not applied yet', 0],
    );
    assert.deepEqual(reasons(), []);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('waits for a person where sync is manual, and what is applied is still checked and healed', async () => {
    await world.deploy('web', [deployment('front')], { sync: 'manual' });
    await world.push('web', [deployment('front', 'a:2')], { sync: 'manual' });
    await world.sweep();
    world.cluster.edit(webAddress, scaled);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 1]);
    assert.match(check?.reason ?? '', /waits for `trueup sync`/);
    assert.deepEqual(reasons(), ['web heal']);
  });

  it('is not hurried after a failed run, and not repeated where only a person helps', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.push('web', [deployment('front', 'a:2')]);
    await world.changeInventory('web', () => ({ lastRun: failedRun(2, true) }));
    const check = await world.sweep();
    assert.equal(check?.reason, 'the last run was failed: the server said no');
    await world.sweep();
    assert.deepEqual(reasons(), []);
    world.clock.advance(5 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
    await world.changeInventory('web', () => ({ lastRun: failedRun(2, false) }));
    world.clock.advance(60 * minute);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('half applied is compared object by object with what each was applied as', async () => {
    await world.deploy('web', [deployment('front'), configMap('front', { a: '1' })]);
    const pointer = await world.push('web', [deployment('front', 'a:2'), configMap('front', { a: '2' })]);
    const [config, front] = await world.resolve(pointer);
    assert.ok(config !== undefined && front !== undefined);
    await world.cluster.apply(front.address, front.object, {
      dryRun: false,
      force: true,
      fieldValidation: 'Strict',
    });
    await world.changeInventory('web', ({ entries }) => {
      const [mine, other] = [entries[front.key], entries[config.key]];
      assert.ok(mine !== undefined && other !== undefined);
      return {
        entries: {
          [front.key]: { ...mine, desiredDigest: front.digest },
          [config.key]: { ...other, state: 'intent' },
        },
      };
    });
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 0]);
    world.cluster.edit(webAddress, scaled);
    assert.equal((await world.sweep())?.drifted, 1);
  });

  it('whose run died after the pointer was reached is finished by the backstop', async () => {
    await world.deploy('web', [configMap('front')]);
    await world.changeInventory('web', ({ entries }) => ({
      entries: Object.fromEntries(
        Object.entries(entries).map(([key, entry]) => [key, { ...entry, state: 'intent' as const }]),
      ),
    }));
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.reason], ['Pending', 'a run did not finish ConfigMap web/front']);
    await world.sweep();
    assert.deepEqual(reasons(), ['web pending']);
  });

  it('of an application that was never applied is Pending, whatever stands on the cluster', async () => {
    await world.deploy('shop', [configMap('shop')]);
    await world.push('web', [configMap('front')]);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.revision, check?.health], ['Pending', 0, 'Unknown']);
  });
});

describe('what could not be judged is Unknown, never Synced', () => {
  it('when the cluster does not answer: all targets, due or not, with the reason; their age grows', async () => {
    await world.deploy('web', [deployment('front')], observe);
    await world.deploy('shop', [configMap('shop')], { intervalSeconds: 3600 });
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    world.sentMetrics();
    world.clock.advance(10 * minute);
    world.cluster.unreachable = 'no answer within 5 s';
    const check = await world.sweepAll();
    assert.match(check.unreachable ?? '', /no answer within 5 s/);
    for (const { sync, reason, health, at } of Object.values(check.targets)) {
      assert.deepEqual([sync, health, at], ['Unknown', 'Unknown', '2026-11-23T12:00:00.000Z']);
      assert.match(reason, /no answer within 5 s/);
    }
    assert.deepEqual(await states(), ['fields open']);
    assert.deepEqual(world.sentMetrics().slice(0, 2), ['OldestCheckSeconds 600', 'DriftedObjects 1']);
    world.cluster.unreachable = undefined;
    const after = await world.sweepAll();
    assert.deepEqual([after.unreachable, after.targets['shop']?.sync], [undefined, 'Synced']);
  });

  it('when the cluster goes away half-way: those checked stand, no request is wasted on the others', async () => {
    for (let index = 0; index < 20; index += 1) await world.deploy(`app${index}`, [configMap(`c${index}`)]);
    world.cluster.requests.length = 0;
    world.cluster.before = () => {
      if (world.cluster.requests.length > 12) world.cluster.unreachable = 'the connection broke';
    };
    const { targets, unreachable } = await world.sweepAll();
    assert.match(unreachable ?? '', /the connection broke/);
    const syncs = Object.values(targets).map(({ sync }) => sync);
    assert.equal(syncs.length, 20);
    assert.ok(syncs.filter((sync) => sync === 'Unknown').length >= 12);
    assert.ok(world.cluster.requests.length < 40);
  });

  it('when a webhook refuses one dry run: the other objects are judged and healed all the same', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')]);
    world.cluster.refusals.set('front', '');
    await world.deploy('shop', [deployment('other'), configMap('shop')]);
    world.cluster.refusals.clear();
    world.cluster.refusals.set('shop', 'admission webhook "policy" denied the request');
    world.cluster.edit({ ...webAddress, name: 'other' }, scaled);
    const check = await world.sweep('shop');
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /ConfigMap web\/shop.*admission webhook "policy" denied/);
    assert.equal(check?.drifted, 1);
    assert.deepEqual(reasons(), ['shop heal']);
  });

  it('when an open episode could not be judged again: it stays open', async () => {
    await world.deploy('web', [deployment('front')], observe);
    world.cluster.edit(webAddress, scaled);
    await world.sweep();
    world.cluster.refusals.set('front', 'denied');
    assert.equal((await world.sweep())?.sync, 'Unknown');
    assert.deepEqual(await states(), ['fields open']);
  });

  it('when we may not list a kind: the targets that have it, and no others', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.deploy('shop', [configMap('shop')]);
    world.cluster.forbiddenList = 'deployments';
    const { targets } = await world.sweepAll();
    assert.deepEqual([targets['web']?.sync, targets['shop']?.sync], ['Unknown', 'Synced']);
    assert.match(targets['web']?.reason ?? '', /does not let us list deployments/);
  });

  it('when the snapshot is gone', async () => {
    const pointer = await world.deploy('web', [deployment('front')]);
    await world.store.delete(keys.snapshot('web', pointer.snapshot), 'any');
    const check = await world.sweep();
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /is not in the bucket; push again/);
  });

  it('when there is no time left: the entry stays as it was and the longest unchecked come first', async () => {
    await world.deploy('web', [configMap('front')]);
    const before = await world.sweep();
    await world.deploy('shop', [configMap('shop')]);
    world.clock.advance(minute);
    world.budgetMs = 20_000;
    const { targets } = await world.sweepAll();
    assert.deepEqual(targets['web'], before);
    assert.deepEqual(
      [targets['shop']?.sync, targets['shop']?.reason],
      ['Unknown', 'the sweep had no time left for it'],
    );
    assert.equal(world.sentMetrics().at(-1), 'OldestCheckSeconds 60');
  });
});

describe('health', () => {
  it('is read again though nothing was pushed and nothing drifts: Degraded is a figure, and once 0', async () => {
    await world.deploy('web', [deployment('front')]);
    const failing = [
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: 'no pod became ready',
      },
    ];
    world.cluster.edit(
      webAddress,
      { status: { observedGeneration: 1, conditions: failing } },
      'kube-controller-manager',
    );
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.health], ['Synced', 'Degraded']);
    assert.match(
      check?.healthMessage ?? '',
      /Deployment web\/front: ProgressDeadlineExceeded: no pod became ready/,
    );
    assert.deepEqual(world.sentMetrics(), [
      'OldestCheckSeconds 0',
      'DegradedTargets 1',
      'fleet DegradedTargets 1',
    ]);
    const good = {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      conditions: [],
    };
    world.cluster.edit(webAddress, { status: good }, 'kube-controller-manager');
    assert.equal((await world.sweep())?.health, 'Healthy');
    assert.deepEqual(world.sentMetrics(), [
      'OldestCheckSeconds 0',
      'DegradedTargets 0',
      'fleet DegradedTargets 0',
    ]);
    await world.sweep();
    assert.deepEqual(world.sentMetrics(), ['OldestCheckSeconds 0']);
  });
});

describe('targets that are gone from Git', () => {
  it('are Pending while they have objects, and forgotten once they have none', async () => {
    const { revision } = await world.deploy('web', [configMap('front')]);
    await world.changePointer('web', { state: 'gone', revision: revision + 1 });
    const check = await world.sweep();
    assert.deepEqual(
      [check?.sync, check?.reason],
      ['Pending', 'its Application is gone from Git; its objects are about to go'],
    );
    await world.changeInventory('web', () => ({ entries: {} }));
    assert.deepEqual((await world.sweepAll()).targets, {});
  });
});

describe('a sweep of the fleet', () => {
  it('is a request for each configured cluster', async () => {
    await sweepFleet(world.deps, 'schedule');
    assert.deepEqual(
      world.queues.sweeps.map((request) => [
        request.scope,
        'cluster' in request ? request.cluster : '',
        request.requestedBy,
      ]),
      [
        ['cluster', 'east', 'schedule'],
        ['cluster', 'west', 'schedule'],
      ],
    );
  });
});
