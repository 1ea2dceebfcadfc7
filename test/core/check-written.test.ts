import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keepWrites, keptTrail } from '../../core/audit/kept-writes.ts';
import { checkWritten, type WrittenOutcome } from '../../core/check-written.ts';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { acquireLease } from '../../core/lease.ts';
import { auditWriteOf } from '../../core/model/audit.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { sweepCluster } from '../../core/sweep.ts';
import { auditLine, type AuditChange } from './audit/audit-event.ts';
import { configMap, deployment, scriptedWorld, type SweepWorld, webAddress } from './sweep/sweep-world.ts';

const target = { cluster: 'east', application: 'web' };
const scaled = { spec: { replicas: 9 } };
const minute = 60_000;
/** As the scripted cluster notes every write in managedFields. */
const edited = Date.parse('2026-11-23T11:00:00.300Z');

let world: SweepWorld;
beforeEach(async () => {
  world = scriptedWorld();
  await world.deploy('web', [deployment('front'), deployment('back'), configMap('front')]);
  await world.sweepAll();
  world.clock.advance(minute);
});

/** The line of the log arrives. */
async function log(change: AuditChange = {}, at = world.clock.now()): Promise<void> {
  const write = auditWriteOf(JSON.parse(auditLine(at, change)));
  assert.ok(write);
  await keepWrites(world, target, [write]);
}

async function check(tries = 0): Promise<WrittenOutcome> {
  return checkWritten({ ...target, tries }, world.deps);
}

async function sweep(): Promise<void> {
  await sweepCluster(
    { cluster: 'east', requestedBy: 'test' },
    { ...world.deps, audit: keptTrail(world.store) },
  );
}

async function shown(): Promise<string[]> {
  return (await world.records()).map((record) => {
    const { drift, state, who } = record ?? {};
    return `${drift?.ref.kind} ${drift?.ref.name} ${drift?.kind} ${state} ${who?.user ?? '-'}`;
  });
}

async function syncOf(): Promise<string> {
  const document = await readDocument(world.store, keys.check('east'), clusterCheckSchema);
  const { sync, drifted } = document?.value.targets['web'] ?? {};
  return `${sync} ${drifted}`;
}

describe('a check of what was written', () => {
  it('looks at that object alone, and records the drift with who it was', async () => {
    world.cluster.edit(webAddress, scaled);
    await log({}, edited);
    world.cluster.requests.length = 0;
    assert.deepEqual(await check(), { kind: 'checked', objects: 1, drifting: 1, completed: 0 });
    const requests = world.cluster.requests.filter((each) => each !== 'resources');
    assert.deepEqual(requests, [
      'get apps/v1/deployments/web/front',
      'dry-run apps/v1/deployments/web/front',
    ]);
    assert.deepEqual(await shown(), ['Deployment front fields open alice']);
    const [record] = await world.records();
    assert.deepEqual(record?.who?.addresses, ['192.0.2.7']);
    assert.match(record?.who?.userAgent ?? '', /^kubectl/);
    assert.deepEqual(
      world.queues.later.map(({ request: { reason } }) => reason),
      ['heal'],
    );
    assert.equal(await syncOf(), 'Drifted 1');
    assert.ok(world.sentMetrics().includes('DriftedObjects 1'));
  });

  it('finds nothing twice, and says so when it was put back', async () => {
    world.cluster.edit(webAddress, scaled);
    await log({}, edited);
    await check();
    assert.deepEqual(await check(), { kind: 'nothing' });
    world.cluster.edit(webAddress, { spec: { replicas: 2 } }, 'trueup');
    await log({ id: 'again' });
    await check();
    assert.deepEqual(await shown(), ['Deployment front fields reverted alice']);
    assert.equal(await syncOf(), 'Synced 0');
  });

  it('leaves alone what drifts beside it, and what a clean check remembers', async () => {
    await world.cluster.delete({ ...webAddress, name: 'back' });
    await sweep();
    world.cluster.edit(webAddress, scaled);
    await log({}, edited);
    await check();
    assert.deepEqual((await shown()).sort(), [
      'Deployment back missing open -',
      'Deployment front fields open alice',
    ]);
    assert.equal(await syncOf(), 'Drifted 2');
  });

  it('sees a deletion, of the object or of all of its kind', async () => {
    await world.cluster.delete(webAddress);
    await world.cluster.delete({ ...webAddress, name: 'back' });
    await log({ verb: 'deletecollection', name: '' });
    assert.deepEqual(await check(), { kind: 'checked', objects: 2, drifting: 2, completed: 0 });
    assert.deepEqual((await shown()).sort(), [
      'Deployment back missing open alice',
      'Deployment front missing open alice',
    ]);
  });

  it('comes to nothing where a write changed nothing, or the target is gone', async () => {
    await log();
    assert.deepEqual(await check(), { kind: 'checked', objects: 1, drifting: 0, completed: 0 });
    assert.deepEqual(await shown(), []);
    await log({ id: 'late' });
    await world.store.delete(keys.desired(target), 'any');
    assert.deepEqual(await check(), { kind: 'nothing' });
  });
});

describe('who it was', () => {
  it('is added to a record that the log is later than', async () => {
    world.cluster.edit(webAddress, scaled);
    await sweep();
    assert.deepEqual(await shown(), ['Deployment front fields open -']);
    await log({}, edited);
    assert.deepEqual(await check(), { kind: 'checked', objects: 1, drifting: 1, completed: 1 });
    assert.deepEqual(await shown(), ['Deployment front fields open alice']);
  });

  it('is added to one that was closed by then', async () => {
    const at = world.clock.now();
    await world.cluster.delete(webAddress);
    world.clock.advance(minute);
    await sweep();
    await world.run(await world.push('web', [deployment('front'), deployment('back'), configMap('front')]));
    await sweep();
    assert.deepEqual(await shown(), ['Deployment front missing reverted -']);
    await log({ verb: 'delete' }, at);
    await check();
    assert.deepEqual(await shown(), ['Deployment front missing reverted alice']);
    const [record] = await world.records();
    assert.equal(record?.secondsToDetect, 60);
  });

  it('is nobody where the write was before the last check', async () => {
    await log({ verb: 'delete' }, world.clock.now() - 5 * minute);
    await world.cluster.delete(webAddress);
    await sweep();
    await check();
    assert.deepEqual(await shown(), ['Deployment front missing open -']);
  });

  it('is known to a sweep that finds later what the log told', async () => {
    await log({ verb: 'delete', resource: 'namespaces', name: 'web' });
    assert.deepEqual(await check(), { kind: 'checked', objects: 3, drifting: 0, completed: 0 });
    world.clock.advance(minute);
    await world.cluster.delete(webAddress);
    await sweep();
    assert.deepEqual(await shown(), ['Deployment front missing open alice']);
  });
});

describe('a check that cannot be made now', () => {
  it('is put off while a run is at work, and left to the sweep after too many tries', async () => {
    const lease = await acquireLease(world, target);
    world.cluster.edit(webAddress, scaled);
    await log({}, edited);
    assert.deepEqual(await check(), { kind: 'busy' });
    assert.deepEqual(world.queues.sweeps, [
      { version: 1, scope: 'target', ...target, requestedBy: 'audit', tries: 1 },
    ]);
    assert.deepEqual(await check(24), { kind: 'busy' });
    assert.equal(world.queues.sweeps.length, 1);
    assert.deepEqual(await shown(), []);
    await lease?.release();
    assert.equal((await check(1)).kind, 'checked');
  });

  it('is left to the sweep where the cluster does not answer, which still knows who it was', async () => {
    world.cluster.edit(webAddress, scaled);
    await log({}, edited);
    world.cluster.unreachable = 'the connection was refused';
    assert.equal((await check()).kind, 'failed');
    world.cluster.unreachable = undefined;
    await sweep();
    assert.deepEqual(await shown(), ['Deployment front fields open alice']);
  });

  it('looks again for what was written while it looked', async () => {
    await log();
    const { cluster } = world;
    const get = cluster.get.bind(cluster);
    cluster.get = async (address) => {
      cluster.get = get;
      await log({ id: 'meanwhile' });
      return get(address);
    };
    await check();
    assert.equal(world.queues.sweeps.length, 1);
  });
});
