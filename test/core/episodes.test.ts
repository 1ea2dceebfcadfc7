import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { sendDriftMetrics } from '../../core/drift-metrics.ts';
import {
  closeEpisodes,
  readEpisodes,
  recordFindings,
  type EpisodeDeps,
  type Findings,
} from '../../core/episodes.ts';
import { driftRecordSchema, type ObjectDrift } from '../../core/model/drift.ts';
import { refKey } from '../../core/model/object.ts';
import { readHeals } from '../../core/recent-heals.ts';
import { readDocument } from '../../core/documents.ts';
import { CountingIds, ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { RecordingBus, RecordingMetrics } from '../fakes/recorders.ts';

const target = { cluster: 'east', application: 'web' };
const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };
const key = refKey(ref);

function drift(live: number, kind: 'changed' | 'foreign' = 'changed'): ObjectDrift {
  const happened = { manager: 'kubectl-edit', operation: 'Update', at: '2026-11-23T11:59:00Z' };
  return {
    ref,
    kind: 'fields',
    fields: [{ class: kind, path: 'spec.replicas', desired: 2, live, ...happened }],
  };
}

function found(...drifts: ObjectDrift[]): Findings {
  const byKey = new Map(drifts.map((each) => [refKey(each.ref), each]));
  const loopBreaker = { flips: 3, minutes: 30 };
  return { target, drifts: byKey, isJudged: (each) => each === key, loopBreaker };
}

function world(store = new MemoryStore(), bus = new RecordingBus()) {
  const config = { clusters: [{ name: 'east' }, { name: 'west' }] };
  return {
    store,
    bus,
    metrics: new RecordingMetrics(),
    clock: new ManualClock(),
    ids: new CountingIds(),
    config,
  };
}

async function recordsOf({ store }: Pick<EpisodeDeps, 'store'>) {
  const records = [];
  for await (const name of store.list('drift/')) {
    records.push((await readDocument(store, name, driftRecordSchema))?.value);
  }
  return records;
}

function typesOf({ bus }: { bus: RecordingBus }): string[] {
  return bus.events.map(({ type }) => type);
}

describe('episodes of drift', () => {
  it('open once, however many checks see the same', async () => {
    const deps = world();
    await recordFindings(deps, found(drift(3)));
    const writes = deps.store.writes.length;
    for (let sweep = 0; sweep < 5; sweep += 1) await recordFindings(deps, found(drift(3)));
    assert.equal(deps.store.writes.length, writes);
    assert.deepEqual(typesOf(deps), ['DriftDetected']);
    const [record, ...more] = await recordsOf(deps);
    assert.equal(more.length, 0);
    assert.equal(record?.state, 'open');
    assert.equal(record?.secondsToDetect, 60);
    const episode = (await readEpisodes(deps.store, target))[key];
    assert.equal(episode?.record, keys.drift(target, '2026-11-23T12:00:00.000Z', record?.id ?? ''));
  });

  it('are one record as their fields change, with an event for each change', async () => {
    const deps = world();
    await recordFindings(deps, found(drift(3)));
    deps.clock.advance(60_000);
    await recordFindings(deps, found(drift(4)));
    const [record, ...more] = await recordsOf(deps);
    assert.equal(more.length, 0);
    assert.equal(record?.drift.fields[0]?.live, 4);
    assert.equal(record?.lastSeenAt, '2026-11-23T12:01:00.000Z');
    assert.deepEqual(typesOf(deps), ['DriftDetected', 'DriftDetected']);
  });

  it('close as reverted when somebody put it back, and leave no index behind', async () => {
    const deps = world();
    await recordFindings(deps, found(drift(3)));
    deps.clock.advance(30_000);
    await recordFindings(deps, found());
    const [record] = await recordsOf(deps);
    assert.deepEqual([record?.state, record?.secondsToHeal], ['reverted', 90]);
    assert.deepEqual(typesOf(deps), ['DriftDetected', 'DriftHealed']);
    assert.equal(await deps.store.get(keys.openDrift(target)), undefined);
    await recordFindings(deps, found(drift(3)));
    assert.equal((await recordsOf(deps)).length, 2);
  });

  it('close as healed by a run, whose metrics return the alarm at once', async () => {
    const deps = world();
    await recordFindings(deps, found(drift(3)));
    const closed = await closeEpisodes(deps, {
      target,
      state: 'healed',
      runId: 'run-1',
      objects: [key, 'other'],
    });
    assert.equal(closed, 1);
    const [record] = await recordsOf(deps);
    assert.deepEqual([record?.state, record?.runId], ['healed', 'run-1']);
    const values = deps.metrics.data.map(
      ({ name, value, cluster }) => `${cluster ?? 'fleet'} ${name} ${value}`,
    );
    assert.deepEqual(values, [
      'fleet DetectSeconds 60',
      'fleet HealSeconds 60',
      'east DriftedObjects 0',
      'east OldestDriftSeconds 0',
      'east ForeignFields 0',
      'fleet DriftedObjects 0',
      'fleet OldestDriftSeconds 0',
      'fleet ForeignFields 0',
    ]);
  });

  it('stay open, and count as no heal, where the run left a broken loop alone', async () => {
    const deps = world();
    const fields = ['/spec/replicas', '/spec/paused'].map((pointer) => ({
      class: 'changed' as const,
      path: pointer.replaceAll('/', '.').slice(1),
      pointer,
    }));
    await recordFindings(deps, found({ ref, kind: 'fields', fields }));
    const broken = new Map([[key, new Set(['/spec/replicas'])]]);
    const closing = { target, state: 'overwritten' as const, objects: [key], heals: new Set([key]) };
    assert.equal(await closeEpisodes(deps, { ...closing, broken }), 0);
    assert.equal((await recordsOf(deps))[0]?.state, 'open');
    assert.deepEqual(Object.keys((await readHeals(deps.store, target))[key]?.paths ?? {}), ['/spec/paused']);
    assert.equal(await closeEpisodes(deps, closing), 1);
    assert.equal((await recordsOf(deps))[0]?.state, 'healed');
  });

  it('stay open where a run cannot end them, and cost a run nothing where there are none', async () => {
    const deps = world();
    const closing = { target, state: 'healed' as const, runId: 'run-1', objects: [key] };
    assert.equal(await closeEpisodes(deps, closing), 0);
    await recordFindings(deps, found(drift(3, 'foreign')));
    assert.equal(await closeEpisodes(deps, closing), 0);
    assert.equal((await recordsOf(deps))[0]?.state, 'open');
    assert.deepEqual(deps.metrics.data, []);
  });

  it('give metrics of the cluster and of the fleet while there is drift, the same to both', async () => {
    const deps = world();
    await recordFindings(deps, found(drift(3)));
    await recordFindings(deps, { ...found(drift(3)), target: { cluster: 'west', application: 'web' } });
    assert.deepEqual(
      deps.metrics.data.splice(0).map(({ name, value, cluster }) => [name, value, cluster]),
      [
        ['DetectSeconds', 60, undefined],
        ['DetectSeconds', 60, undefined],
      ],
    );
    deps.clock.advance(40_000);
    await sendDriftMetrics(deps, 'east', { closed: false });
    await sendDriftMetrics(deps, 'north', { closed: false });
    const values = deps.metrics.data.map(
      ({ name, value, cluster }) => `${cluster ?? 'fleet'} ${name} ${value}`,
    );
    assert.deepEqual(values, [
      'east DriftedObjects 1',
      'east OldestDriftSeconds 100',
      'east ForeignFields 0',
      'fleet DriftedObjects 1',
      'fleet OldestDriftSeconds 100',
      'fleet ForeignFields 0',
    ]);
  });

  it('of others are read neither by a sweep nor by a run, however many there are', async () => {
    const deps = world();
    const others = [...Array(20).keys()].map((n) => ({
      cluster: n < 10 ? 'west' : 'east',
      application: `a${n}`,
    }));
    for (const other of [target, ...others])
      await recordFindings(deps, { ...found(drift(3)), target: other });
    const read: string[] = [];
    const store = new Proxy(deps.store, {
      get: (of, name) => {
        const member: unknown = Reflect.get(of, name, of);
        if (typeof member !== 'function') return member;
        return (...args: [string]) => {
          if (name === 'get') read.push(args[0]);
          return member.apply(of, args);
        };
      },
    });
    await sendDriftMetrics({ ...deps, store }, 'east', { closed: false });
    assert.equal(read.splice(0).length, 11);
    deps.metrics.data.length = 0;
    await closeEpisodes({ ...deps, store }, { target, state: 'healed', objects: [key] });
    assert.ok(read.length < 8, `${read.length} documents were read to close one episode`);
    // Others drift still: their sweep says how many, and nothing says 0 meanwhile.
    assert.deepEqual(
      deps.metrics.data.map(({ name }) => name),
      ['HealSeconds'],
    );
  });
});

/** Dies at the n-th effect, of whatever kind. */
class Dying {
  #left: number;
  constructor(effects: number) {
    this.#left = effects;
  }
  effect(): void {
    if (this.#left === 0) throw new Error('killed');
    this.#left -= 1;
  }
}

function mortal(store: MemoryStore, bus: RecordingBus, life: Dying): EpisodeDeps {
  return {
    ...world(),
    ids: { next: () => `id-${store.writes.length}` },
    bus: {
      publish: async (events) => {
        life.effect();
        await bus.publish(events);
      },
    },
    store: {
      get: async (name) => store.get(name),
      entries: async (prefix) => store.entries(prefix),
      list: (prefix, options) => store.list(prefix, options),
      put: async (name, text, condition) => {
        life.effect();
        return store.put(name, text, condition);
      },
      delete: async (name, condition) => {
        life.effect();
        return store.delete(name, condition);
      },
    },
  };
}

describe('a function killed at any effect', () => {
  for (let effects = 0; effects < 7; effects += 1) {
    it(`after ${effects} effects: the next check completes the episode`, async () => {
      const [store, bus] = [new MemoryStore(), new RecordingBus()];
      await recordFindings(mortal(store, bus, new Dying(effects)), found(drift(3))).catch(() => undefined);
      await recordFindings(mortal(store, bus, new Dying(Infinity)), found(drift(3)));
      const opened = await recordsOf({ store });
      assert.deepEqual(
        opened.map((record) => record?.state),
        ['open'],
      );
      assert.ok(typesOf({ bus }).includes('DriftDetected'));
      await recordFindings(mortal(store, bus, new Dying(effects)), found()).catch(() => undefined);
      await recordFindings(mortal(store, bus, new Dying(Infinity)), found());
      const closed = await recordsOf({ store });
      assert.deepEqual(
        closed.map((record) => record?.state),
        ['reverted'],
      );
      assert.ok(typesOf({ bus }).includes('DriftHealed'));
      assert.equal(await store.get(keys.openDrift(target)), undefined);
    });
  }
});
