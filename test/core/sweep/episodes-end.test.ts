import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { labels } from '../../../core/contract/kubernetes.ts';
import type { HookState, InventoryEntry } from '../../../core/model/inventory.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment } from './sweep-world.ts';

const minute = 60_000;
const observe = { drift: 'observe' } as const;
const configAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'front' };

let world: SweepWorld;
beforeEach(() => {
  world = scriptedWorld();
});

async function states(): Promise<string[]> {
  return (await world.records()).map((record) => `${record?.drift.kind} ${record?.state}`);
}

/** Sweeps so many times, five minutes apart. */
async function sweeps(count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let round = 0; round < count; round += 1) {
    const check = await world.sweep();
    seen.push(`${check?.sync} ${check?.drifted}`);
    world.clock.advance(5 * minute);
  }
  return seen;
}

/** A ConfigMap with our label; its uid. */
async function labelled(name: string): Promise<string> {
  const plain = configMap(name);
  const metadata = { ...plain.metadata, labels: { [labels.application]: 'web' } };
  const options = { dryRun: false, force: true } as const;
  const outcome = await world.cluster.apply({ ...configAddress, name }, { ...plain, metadata }, options);
  assert.ok(outcome.kind === 'applied');
  return outcome.object.metadata.uid;
}

describe('the object of a hook that stays after it is done', () => {
  it('is never extra, whether its target is settled or not', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')]);
    const hook: HookState = {
      ref: { group: '', kind: 'ConfigMap', namespace: 'web', name: 'hook' },
      apiVersion: 'v1',
      plural: 'configmaps',
      phase: 'post',
      revision: 1,
      state: 'succeeded',
      uid: await labelled('hook'),
      at: '2026-11-23T11:00:00.000Z',
      message: '',
    };
    await world.changeInventory('web', () => ({ hooks: { 'post//ConfigMap/web/hook': hook } }));
    assert.deepEqual(
      await sweeps(5),
      Array.from({ length: 5 }, () => 'Synced 0'),
    );
    assert.deepEqual(await states(), []);
    world.store.writes.length = 0;
    world.cluster.requests.length = 0;
    await world.sweep();
    assert.deepEqual(world.store.writes, ['checks/east.json'], 'and the target is settled all the same');
    assert.ok(!world.cluster.requests.some((request) => request.startsWith('get ')));
  });
});

describe('an episode', () => {
  it('ends when its object is kept though nothing desires it any more', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    world.cluster.edit(configAddress, { data: { a: '2' } });
    await world.sweep();
    assert.deepEqual(await states(), ['fields open']);
    const kept = {
      because: 'protection',
      since: '2026-11-23T12:00:00.000Z',
      message: 'is protected',
    } as const;
    await world.changeInventory('web', ({ entries }) => ({
      entries: Object.fromEntries(
        Object.entries(entries).map(([key, entry]): [string, InventoryEntry] => [
          key,
          key.includes('ConfigMap') ? { ...entry, kept } : entry,
        ]),
      ),
    }));
    assert.deepEqual(await sweeps(2), ['Synced 0', 'Synced 0']);
    assert.deepEqual(await states(), ['fields reverted']);
    world.sentMetrics();
    await world.sweep();
    assert.ok(!world.sentMetrics().some((sent) => sent.startsWith('DriftedObjects')));
  });

  it('of an extra object is not judged while its kind cannot be listed', async () => {
    await world.deploy('web', [deployment('front')]);
    await world.deploy('shop', [configMap('shop')]);
    await labelled('stray');
    assert.deepEqual(await sweeps(1), ['Drifted 1']);
    world.cluster.forbiddenList = 'configmaps';
    const check = await world.sweep();
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /does not let us list configmaps/);
    assert.deepEqual(await states(), ['extra open']);
    world.cluster.forbiddenList = undefined;
    assert.deepEqual(await sweeps(2), ['Drifted 1', 'Drifted 1']);
    assert.deepEqual(await states(), ['extra open']);
  });

  it('of an extra object is looked at again though nothing else of its kind is left', async () => {
    await world.deploy('web', [deployment('front'), configMap('front')], observe);
    await labelled('stray');
    assert.deepEqual(await sweeps(1), ['Drifted 1']);
    await world.cluster.delete(configAddress);
    await world.deploy('web', [deployment('front')], observe);
    assert.deepEqual(await sweeps(2), ['Drifted 1', 'Drifted 1']);
    assert.deepEqual(await states(), ['extra open']);
    await world.cluster.delete({ ...configAddress, name: 'stray' });
    assert.deepEqual(await sweeps(1), ['Synced 0']);
    assert.deepEqual(await states(), ['extra reverted']);
  });
});
