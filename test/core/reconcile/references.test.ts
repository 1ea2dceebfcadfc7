import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import { isJsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunReason, RunRecord, RunRequest } from '../../../core/model/run.ts';
import { readDocument } from '../../../core/documents.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { reconcile, type ReconcileResult } from '../../../core/reconcile.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { SweepWorld, configMap } from '../sweep/sweep-world.ts';

/** Secrets that refer to values of AWS: what a run applies, what a check says of it, and what a rotation does. */

const db = 'awssecrets:acme/db';
const place = 'ref+awssecrets://acme/db';
const encoded = (value: string | Uint8Array) => Buffer.from(value).toString('base64');

function secret(data: Readonly<Record<string, string>>, name = 'db'): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'web' },
    stringData: data,
  };
}

class World extends SweepWorld<MemoryCluster> {
  readonly target = { cluster: 'east', application: 'web' };

  constructor() {
    super(new MemoryCluster(new ManualClock(), ['web']));
  }

  async reconcile(reason: RunReason, more: Partial<RunRequest> = {}): Promise<ReconcileResult> {
    const request = { version: 1 as const, target: this.target, reason, requestedBy: 'test', ...more };
    return reconcile(request, this.deps);
  }

  async record(reason: RunReason, more: Partial<RunRequest> = {}): Promise<RunRecord> {
    const result = await this.reconcile(reason, more);
    assert.ok(result.kind === 'ran', JSON.stringify(result));
    return result.record;
  }

  async live(name = 'db'): Promise<Readonly<Record<string, unknown>> | undefined> {
    const live = await this.cluster.get({ apiVersion: 'v1', plural: 'secrets', namespace: 'web', name });
    return isJsonObject(live?.['data']) ? live['data'] : undefined;
  }

  async versions(name = 'db') {
    const inventory = await readDocument(this.store, keys.inventory(this.target), inventorySchema);
    return inventory?.value.entries[`/Secret/web/${name}`]?.secretVersions;
  }

  /** Everything that was written down, sent or measured. */
  async told(): Promise<string> {
    const names = await Array.fromAsync(this.store.list(''));
    const texts = await Promise.all(names.map(async (name) => (await this.store.get(name))?.text));
    return JSON.stringify([texts, this.bus, this.queues, this.metrics]);
  }

  /** What the sweep asked for, taken out of the queue. */
  requests(): readonly RunRequest[] {
    return this.queues.later.splice(0).map(({ request }) => request);
  }
}

async function deployed(settings: object = {}): Promise<World> {
  const world = new World();
  await world.references.put(db, '{"user":"web","password":"hunter2-one","port":5432,"deep":{"a":true}}');
  const data = { password: `${place}#/password`, plain: 'as it is' };
  await world.push('web', [secret(data), configMap('settings')], settings);
  assert.equal((await world.record('sync')).outcome?.kind, 'applied');
  return world;
}

const anyValue = /hunter2|aHVudGVyMi/;

describe('a run', () => {
  test('puts the values in, records their versions, and tells no value', async () => {
    const world = new World();
    const version = await world.references.put(
      db,
      '{"user":"web","password":"hunter2","port":5432,"deep":{"a":true}}',
    );
    await world.references.put('awsssm:/acme/token', 'hunter2-token');
    await world.references.put('awssecrets:acme/key', new Uint8Array([0, 255, 10]));
    const data = {
      password: `${place}#/password`,
      port: `${place}#/port`,
      flag: `${place}#/deep/a`,
      all: place,
      token: 'ref+awsssm://acme/token',
      key: 'ref+awssecrets://acme/key',
      plain: 'as it is',
    };
    await world.push('web', [secret(data), secret({ user: `${place}#/user` }, 'other')]);
    const { outcome, plan } = await world.record('push');
    assert.equal(outcome?.kind, 'applied', outcome?.message);
    assert.deepEqual(await world.live(), {
      password: encoded('hunter2'),
      port: encoded('5432'),
      flag: encoded('true'),
      all: encoded('{"user":"web","password":"hunter2","port":5432,"deep":{"a":true}}'),
      token: encoded('hunter2-token'),
      key: encoded(new Uint8Array([0, 255, 10])),
      plain: encoded('as it is'),
    });
    const recorded = {
      [place]: version,
      'ref+awsssm://acme/token': '1',
      'ref+awssecrets://acme/key': '1'.padStart(32, '0'),
    };
    assert.deepEqual(plan.secretVersions, recorded);
    assert.deepEqual(await world.versions(), recorded);
    assert.deepEqual(await world.versions('other'), { [place]: version });
    assert.deepEqual(world.references.asked.toSorted(), Object.keys(recorded).toSorted(), 'each once');
    assert.doesNotMatch(await world.told(), anyValue);
  });

  test('puts numbers in as they are written', async () => {
    const world = new World();
    const numbers = ['1.0', '1e3', '-0', '0.10', '12345678901234567890', '5432'];
    const members = numbers.map((text, index) => [`n${index}`, text] as const);
    await world.references.put(db, `{${members.map(([key, text]) => `"${key}": ${text}`).join(',')}}`);
    const data = members.map(([key]) => [key, `${place}#/${key}`]);
    await world.push('web', [secret(Object.fromEntries(data))]);
    await world.record('push');
    const wanted = members.map(([key, text]) => [key, encoded(text)]);
    assert.deepEqual(await world.live(), Object.fromEntries(wanted));
  });

  test('never reads a value as a reference', async () => {
    const world = new World();
    await world.references.put(db, 'ref+awssecrets://acme/other');
    await world.push('web', [secret({ a: place })]);
    await world.record('push');
    assert.deepEqual(await world.live(), { a: encoded('ref+awssecrets://acme/other') });
  });

  const broken: readonly {
    readonly what: string;
    readonly value?: string | Uint8Array;
    readonly reference: string;
    readonly says: RegExp;
  }[] = [
    {
      what: 'is not there',
      reference: place,
      says: /Secret web\/db: data\.a: ref\+awssecrets:\/\/acme\/db: does not exist/,
    },
    {
      what: 'has no such version',
      value: 'hunter2',
      reference: `${place}?version_id=x`,
      says: /no such version/,
    },
    {
      what: 'has no such key',
      value: '{"hunter2":1}',
      reference: `${place}#/b/c`,
      says: /has no key \/b; mend/,
    },
    {
      what: 'has no such key below',
      value: '{"b":"hunter2"}',
      reference: `${place}#/b/c`,
      says: /has no \/b\/c: what is above it/,
    },
    {
      what: 'has a key of every object',
      value: '{}',
      reference: `${place}#/constructor`,
      says: /has no key \/constructor/,
    },
    {
      what: 'has a list there',
      value: '{"b":["hunter2"]}',
      reference: `${place}#/b`,
      says: /has no text at \/b/,
    },
    {
      what: 'has an item of a list there',
      value: '{"b":["hunter2"]}',
      reference: `${place}#/b/0`,
      says: /no JSON object/,
    },
    {
      what: 'has an object there',
      value: '{"b":{"c":"hunter2"}}',
      reference: `${place}#/b`,
      says: /has no text at \/b/,
    },
    { what: 'has null there', value: '{"b":null}', reference: `${place}#/b`, says: /has no text at \/b/ },
    { what: 'is no JSON', value: 'hunter2{', reference: `${place}#/b`, says: /is no JSON/ },
    {
      what: 'is binary',
      value: new Uint8Array([1]),
      reference: `${place}#/b`,
      says: /is binary, and has no keys/,
    },
  ];
  for (const { what, value, reference, says } of broken) {
    test(`applies nothing at all where a value ${what}`, async () => {
      const world = new World();
      if (value !== undefined) await world.references.put(db, value);
      await world.push('web', [secret({ a: reference }), configMap('settings')]);
      const { outcome } = await world.record('push');
      assert.equal(outcome?.kind, 'blocked');
      assert.match(outcome.message, says);
      assert.deepEqual(world.cluster.effects, []);
      assert.doesNotMatch(await world.told(), anyValue);
    });
  }

  test('is blocked where AWS refuses, and comes again where AWS is away', async () => {
    for (const [failure, kind] of [
      [new Blocked({ subject: place, message: 'AWS refused it' }), 'blocked'],
      [new Retry({ subject: place, message: 'AWS did not do it' }), 'failed'],
    ] as const) {
      const world = new World();
      world.references.failure = failure;
      await world.push('web', [secret({ a: place }), configMap('settings')]);
      const { outcome } = await world.record('push');
      assert.equal(outcome?.kind, kind);
      assert.match(outcome.message, /^Secret web\/db: data\.a: ref\+awssecrets:\/\/acme\/db: AWS/);
      assert.deepEqual(world.cluster.effects, []);
      assert.equal(world.requests()[0]?.reason, 'retry');
    }
  });

  test('deletes an application though its values are gone', async () => {
    const world = await deployed({ onDelete: 'prune' });
    world.references.failure = new Blocked({ subject: place, message: 'is gone' });
    await world.changePointer('web', { state: 'gone', revision: 2 });
    const { outcome } = await world.record('push', { confirmPrune: 10 });
    assert.equal(outcome?.kind, 'applied', outcome?.message);
    assert.equal(await world.live(), undefined);
  });
});

describe('a rotation', () => {
  test("is nobody's drift: it waits, is applied by the next run, and is over", async () => {
    const world = await deployed();
    assert.equal((await world.sweep())?.sync, 'Synced');
    const version = await world.references.put(db, '{"password":"hunter2-two"}');
    world.clock.advance(7 * 3_600_000);
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 0]);
    assert.match(check?.reason ?? '', /^ref\+awssecrets:\/\/acme\/db has version 0+2, applied is 0+1$/);
    assert.deepEqual(await world.records(), []);
    const [request, ...more] = world.requests();
    assert.deepEqual(
      [request?.reason, request?.secretVersions, more],
      ['rotation', { [place]: version }, []],
    );

    // Nothing else changed, and the next sweep sees it all the same.
    assert.equal((await world.sweep())?.sync, 'Pending');
    const { outcome, plan, reason } = await world.record('rotation', request);
    assert.deepEqual([outcome?.kind, outcome?.counts.updated, reason], ['applied', 1, 'rotation']);
    assert.match(plan.actions.find(({ action }) => action === 'update')?.why ?? '', /^ref.*has version/);
    assert.deepEqual((await world.live())?.['password'], encoded('hunter2-two'));
    assert.deepEqual(await world.versions(), { [place]: version });
    assert.equal((await world.sweep())?.sync, 'Synced');
    const again = await world.reconcile('rotation', request);
    assert.deepEqual(again, { kind: 'rested', why: 'the new versions are applied already' });
    assert.doesNotMatch(await world.told(), anyValue);
  });

  test('does not hide drift, which is told by what was applied', async () => {
    const world = await deployed({ drift: 'observe' });
    await world.sweep();
    await world.references.put(db, '{"password":"hunter2-two"}');
    const address = { apiVersion: 'v1', plural: 'secrets', namespace: 'web', name: 'db' };
    world.cluster.write(address, { kind: 'Secret', data: { password: encoded('stolen') } });
    const check = await world.sweep();
    assert.deepEqual([check?.sync, check?.drifted], ['Pending', 1]);
    const [record] = await world.records();
    assert.match(JSON.stringify(record?.drift.fields), /data/);
    assert.doesNotMatch(JSON.stringify(record), /stolen|c3RvbGVu/);
  });

  test('waits for a person where sync is manual; a heal puts back what was applied', async () => {
    const world = await deployed({ sync: 'manual' });
    await world.sweep();
    const version = await world.references.put(db, '{"password":"hunter2-two"}');
    world.clock.advance(7 * 3_600_000);
    const check = await world.sweep();
    assert.match(check?.reason ?? '', /applied is 0+1; it waits for `trueup sync`$/);
    assert.deepEqual(world.requests(), []);
    assert.equal((await world.reconcile('rotation')).kind, 'rested');

    const address = { apiVersion: 'v1', plural: 'secrets', namespace: 'web', name: 'db' };
    world.cluster.write(address, { kind: 'Secret', data: { password: encoded('stolen') } });
    await world.sweep();
    assert.equal(world.requests()[0]?.reason, 'heal');
    assert.equal((await world.record('heal')).outcome?.kind, 'applied');
    assert.equal((await world.live())?.['password'], encoded('hunter2-one'));
    assert.equal((await world.record('sync')).outcome?.kind, 'applied');
    assert.equal((await world.live())?.['password'], encoded('hunter2-two'));
    assert.deepEqual(await world.versions(), { [place]: version });
  });

  test('of a value whose applied version is gone is applied all the same, and Unknown until then', async () => {
    const world = await deployed();
    await world.references.put(db, '{"password":"hunter2-two"}');
    world.references.forget(db);
    const check = await world.sweep();
    assert.equal(check?.sync, 'Unknown');
    assert.match(
      check.reason,
      /Secret web\/db: data\.password: ref\+awssecrets:\/\/acme\/db: does not exist, or has no such version/,
    );
    const [request] = world.requests();
    assert.equal(request?.reason, 'rotation');
    await world.record('rotation', request);
    assert.equal((await world.sweep())?.sync, 'Synced');
  });

  test('of a version that the reference names is none', async () => {
    const world = new World();
    const version = await world.references.put(db, 'hunter2-one');
    await world.push('web', [secret({ a: `${place}?version_id=${version}` })]);
    await world.record('push');
    await world.references.put(db, 'hunter2-two');
    assert.equal((await world.sweep())?.sync, 'Synced');
    assert.deepEqual(await world.live(), { a: encoded('hunter2-one') });
  });

  test('with the same value is applied once more, and then Synced', async () => {
    const world = await deployed();
    await world.references.put(db, '{"password":"hunter2-one"}');
    assert.equal((await world.sweep())?.sync, 'Pending');
    const { outcome } = await world.record('rotation', world.requests()[0]);
    assert.deepEqual([outcome?.counts.updated, outcome?.counts.unchanged], [0, 2]);
    assert.equal((await world.sweep())?.sync, 'Synced');
  });
});

describe('a check', () => {
  test('is Unknown with the reason where a value cannot be read, and judges the other objects', async () => {
    for (const Fault of [Blocked, Retry]) {
      const world = await deployed({ drift: 'observe' });
      world.references.failure = new Fault({ subject: place, message: 'AWS says no' });
      const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'settings' };
      world.cluster.write(address, { kind: 'ConfigMap', data: { a: 'by hand' } });
      const check = await world.sweep();
      assert.equal(check?.sync, 'Unknown');
      assert.equal(check.reason, 'Secret web/db: data.password: ref+awssecrets://acme/db: AWS says no');
      assert.equal(check.drifted, 1);
      assert.equal((await world.records()).length, 1);
    }
  });

  test('asks once for what many refer to', async () => {
    const world = new World();
    await world.references.put(db, 'hunter2');
    for (const application of ['one', 'two', 'three']) {
      await world.push(application, [secret({ a: place }, application)]);
      const target = { cluster: 'east', application };
      await reconcile({ version: 1, target, reason: 'push', requestedBy: 'test' }, world.deps);
    }
    world.references.asked.splice(0);
    await world.sweepAll();
    assert.deepEqual(world.references.asked, [place]);
  });
});
