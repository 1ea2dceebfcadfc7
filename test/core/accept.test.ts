import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptDrift, narrowestRule } from '../../core/accept.ts';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { Stop } from '../../core/errors.ts';
import type { ObjectDrift } from '../../core/model/drift.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import { refOf } from '../../core/model/object.ts';
import { pointerOf, Policy } from '../../core/policy.ts';
import { at } from '../cluster/cluster-client.ts';
import { driftWorlds, settingsMap, workload, type DriftWorld } from './drift/drift-world.ts';

const newWorld = driftWorlds('accept');

const targetOf = ({ application }: DriftWorld) => ({ cluster: 'east', application });

async function acceptedBy(world: DriftWorld): Promise<string[]> {
  const inventory = await readDocument(world.store, keys.inventory(targetOf(world)), inventorySchema);
  return (inventory?.value.accepted ?? []).map(
    ({ by, rule }) => `${by}: ${rule.fields?.join(' ') ?? 'all of it'}`,
  );
}

describe('the narrowest rule', () => {
  const ref = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };
  const match = { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'front' };

  it('names this object and its drifted fields, once each, by JSON pointer', () => {
    const pointer = '/spec/template/spec/containers/[name="app"]/image';
    const drift: ObjectDrift = {
      ref,
      kind: 'fields',
      fields: [
        { class: 'changed', path: 'spec.template.spec.containers[name="app"].image', pointer },
        { class: 'ownership', path: 'spec.template.spec.containers[name="app"].image', pointer },
        { class: 'foreign', path: 'metadata.labels["a/b"]', pointer: '/metadata/labels/a~1b' },
      ],
    };
    assert.deepEqual(narrowestRule(drift, { reason: 'why' }), {
      match,
      fields: ['/metadata/labels/a~1b', pointer],
      drift: 'ignore',
      reason: 'why',
    });
  });

  it('takes a * in the name or in a field for that character alone', () => {
    const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'team-*' };
    const policyOfRule = (drift: ObjectDrift) => new Policy({ drift: 'heal', rules: [narrowestRule(drift)] });
    const missing = policyOfRule({ ref: role, kind: 'missing', fields: [] });
    const named = (name: string) => ({ apiVersion: `${role.group}/v1`, kind: role.kind, metadata: { name } });
    assert.equal(missing.forObject(named('team-*')).drift, 'ignore');
    assert.equal(missing.forObject(named('team-admin')).drift, 'heal');

    const host = (name: string) => ['f:spec', 'f:hosts', `f:${name}`];
    const pointer = pointerOf(host('*'));
    const route = { apiVersion: 'x.io/v1', kind: 'Route', metadata: { name: 'r', namespace: 'web' } };
    const field = { class: 'changed' as const, path: 'spec.hosts["*"]', pointer };
    const policy = policyOfRule({ ref: refOf(route), kind: 'fields', fields: [field] });
    const modeOf = (name: string) => policy.forField(route, route, { path: host(name), managers: [] }).drift;
    assert.deepEqual([modeOf('*'), modeOf('evil.example')], ['ignore', 'heal']);
  });

  it('is about the whole object where that is missing or extra', () => {
    assert.deepEqual(narrowestRule({ ref, kind: 'missing', fields: [] }), { match, drift: 'ignore' });
    const cluster: ObjectDrift = {
      ref: { group: '', kind: 'Namespace', name: 'x' },
      kind: 'extra',
      fields: [],
    };
    assert.deepEqual(narrowestRule(cluster), {
      match: { group: '', kind: 'Namespace', name: 'x' },
      drift: 'ignore',
    });
  });
});

describe('accepting drift', () => {
  it('ends its episode, and neither a check nor a heal nor a push touches the field again', async () => {
    const world = newWorld();
    const front = workload(world, 'front');
    await world.has([front], { drift: 'observe' });
    await world.kubectl(['scale', `deployment/${front.metadata.name}`, '--replicas=3']);
    assert.equal(await world.looks(), 'Drifted 1');
    world.sentMetrics();
    const [rule, ...more] = await acceptDrift(world.deps, targetOf(world), {
      by: 'alice',
      reason: 'for the sale',
    });
    assert.deepEqual([more, rule?.fields, rule?.reason], [[], ['/spec/replicas'], 'for the sale']);
    assert.ok(world.sentMetrics().includes('DriftedObjects 0'), 'the alarm returns at once');
    assert.deepEqual(
      (await world.told()).map((line) => line.split(' ')[0]),
      ['accepted'],
    );
    assert.deepEqual(world.bus.events.at(-1)?.type, 'DriftHealed');
    assert.equal(await world.looks(), 'Synced');
    await world.push(world.application, [workload(world, 'front', {}, 'a:2')]);
    assert.equal(await world.reconcile('push'), 'applied');
    assert.equal(at(await world.live(front), 'spec', 'replicas'), 3);
    assert.equal(await world.looks(), 'Synced');
  });

  it('of one field leaves the episode open for the others', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c', { a: '1', b: '1' });
    await world.has([config], { drift: 'observe' });
    await world.admin.patch(world.pathTo(config), { data: { a: 'x', b: 'x' } });
    await world.looks();
    await acceptDrift(world.deps, targetOf(world), { by: 'alice', reason: 'why', field: 'data.a' });
    assert.equal(await world.looks(), 'Drifted 1');
    assert.deepEqual(await world.told(), [`open ConfigMap ${config.metadata.name}: changed data.b observe`]);
    await acceptDrift(world.deps, targetOf(world), { by: 'bob', reason: 'why', field: '/data/b' });
    assert.equal(await world.looks(), 'Synced');
    assert.deepEqual(await acceptedBy(world), ['alice: /data/a', 'bob: /data/b']);
  });

  it('of one object leaves the others; what is missing or extra may be accepted too', async () => {
    const world = newWorld();
    const [gone, other] = [settingsMap(world, 'gone'), settingsMap(world, 'other')];
    await world.has([gone, other], { drift: 'observe' });
    await world.admin.remove(world.pathTo(gone));
    await world.admin.patch(world.pathTo(other), { data: { a: 'x' } });
    const copy = settingsMap(world, 'copy');
    const labels = { 'trueup.dev/application': world.application };
    await world.admin.create(world.pathTo(copy).replace(/\/[^/]*$/, ''), {
      ...copy,
      metadata: { ...copy.metadata, labels },
    });
    assert.equal(await world.looks(), 'Drifted 3');
    const place = `${gone.metadata.namespace}/`;
    for (const name of [gone, copy].map((object) => `ConfigMap ${place}${object.metadata.name}`)) {
      await acceptDrift(world.deps, targetOf(world), { by: 'alice', reason: 'why', object: name });
    }
    assert.equal(await world.looks(), 'Drifted 1');
    assert.deepEqual(await acceptedBy(world), ['alice: all of it', 'alice: all of it']);
    await world.admin.remove(world.pathTo(copy));
  });

  it('goes before an annotation in Git, and twice is once', async () => {
    const world = newWorld();
    const config = settingsMap(world, 'c');
    const metadata = { ...config.metadata, annotations: { 'trueup.dev/drift': 'observe' } };
    await world.has([{ ...config, metadata }, settingsMap(world, 'other')]);
    await world.admin.remove(world.pathTo(config));
    await world.looks();
    const acceptance = { by: 'alice', reason: 'why' };
    const again = await world.store.get(keys.openDrift(targetOf(world)));
    await acceptDrift(world.deps, targetOf(world), acceptance);
    await world.store.put(keys.openDrift(targetOf(world)), again?.text ?? '', 'any');
    await acceptDrift(world.deps, targetOf(world), acceptance);
    assert.deepEqual(await acceptedBy(world), ['alice: all of it']);
    assert.equal(await world.looks(), 'Synced');
  });

  it('of a change of order accepts the order, not the items', async () => {
    const world = newWorld();
    const env = ['A', 'B'].map((name) => ({ name, value: '1' }));
    const labels = { app: 'env' };
    const containers = [{ name: 'app', image: 'a:1', env }];
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    };
    const front = workload(world, 'env', spec);
    await world.has([front], { drift: 'observe' });
    const path = '/spec/template/spec/containers/0/env';
    await world.admin.patch(world.pathTo(front), [{ op: 'replace', path, value: env.toReversed() }]);
    assert.equal(await world.looks(), 'Drifted 1');
    const [rule] = await acceptDrift(world.deps, targetOf(world), { by: 'alice', reason: 'why' });
    assert.deepEqual(rule?.fields, ['/spec/template/spec/containers/[name="app"]/env/[order]']);
    assert.equal(await world.looks(), 'Synced');
    await world.admin.patch(world.pathTo(front), [{ op: 'replace', path: `${path}/0/value`, value: '2' }]);
    assert.equal(await world.looks(), 'Drifted 1');
  });

  it('that is not there is a Stop that says what to do', async () => {
    const world = newWorld();
    await world.has([settingsMap(world, 'c')]);
    await assert.rejects(
      acceptDrift(world.deps, targetOf(world), { by: 'alice', reason: 'why', field: 'spec.replicas' }),
      (error) => error instanceof Stop && /no open drift of the field spec.replicas/.test(error.message),
    );
  });
});
