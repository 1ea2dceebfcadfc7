import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { load } from 'js-yaml';
import { Retry } from '../../../core/errors.ts';
import type { InventoryEntry } from '../../../core/model/inventory.ts';
import { jsonObjectSchema, type JsonObject } from '../../../core/model/json.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { Workbench } from './workbench.ts';

let bench: Workbench;
before(async () => {
  bench = await Workbench.open('immutable');
});
after(async () => bench.real.stop());

/** An object, and the same with what nobody may change. */
interface Case {
  readonly yaml: string;
  readonly change: string;
  readonly field: string;
}

function merged(object: JsonObject, change: JsonObject): JsonObject {
  const members = Object.entries(change).map(([name, value]) => {
    const current = object[name];
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    const below = typeof current === 'object' && current !== null && !Array.isArray(current);
    return [name, isMap && below ? merged(current as JsonObject, value as JsonObject) : value];
  });
  return { ...object, ...Object.fromEntries(members) } as JsonObject;
}

const yamlOf = (object: JsonObject): string => JSON.stringify(object);
const pod = `{ metadata: { labels: { app: x } }, spec: { containers: [{ name: app, image: "app:1" }] } }`;
const job = `{ metadata: { labels: { app: x } }, spec: { restartPolicy: Never, containers: [{ name: app, image: "app:1" }] } }`;

const cases: Readonly<Record<string, Case>> = {
  'selector of a Deployment': {
    yaml: `{ apiVersion: apps/v1, kind: Deployment, spec: { selector: { matchLabels: { app: x } }, template: ${pod} } }`,
    change: `{ spec: { selector: { matchLabels: { app: y } }, template: { metadata: { labels: { app: y } } } } }`,
    field: 'spec.selector',
  },
  'selector of a DaemonSet': {
    yaml: `{ apiVersion: apps/v1, kind: DaemonSet, spec: { selector: { matchLabels: { app: x } }, template: ${pod} } }`,
    change: `{ spec: { selector: { matchLabels: { app: y } }, template: { metadata: { labels: { app: y } } } } }`,
    field: 'spec.selector',
  },
  'service of a StatefulSet': {
    yaml: `{ apiVersion: apps/v1, kind: StatefulSet, spec: { serviceName: a, replicas: 0, selector: { matchLabels: { app: x } }, template: ${pod} } }`,
    change: `{ spec: { serviceName: b, replicas: 1 } }`,
    field: 'spec.serviceName',
  },
  'claims of a StatefulSet': {
    yaml: `{ apiVersion: apps/v1, kind: StatefulSet, spec: { serviceName: a, replicas: 0, selector: { matchLabels: { app: x } }, template: ${pod},
      volumeClaimTemplates: [{ metadata: { name: d }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } }] } }`,
    change: `{ spec: { volumeClaimTemplates: [{ metadata: { name: d }, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 2Gi } } } }] } }`,
    field: 'spec.volumeClaimTemplates',
  },
  'template of a Job': {
    yaml: `{ apiVersion: batch/v1, kind: Job, spec: { template: ${job} } }`,
    change: `{ spec: { template: { spec: { containers: [{ name: app, image: "app:2" }] } } } }`,
    field: 'spec.template',
  },
  'address of a Service': {
    yaml: `{ apiVersion: v1, kind: Service, spec: { selector: { app: x }, ports: [{ port: 80 }] } }`,
    change: `{ spec: { clusterIP: None } }`,
    field: 'spec.clusterIPs[0]',
  },
  'access modes of a claim': {
    yaml: `{ apiVersion: v1, kind: PersistentVolumeClaim, spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } } }`,
    change: `{ spec: { accessModes: [ReadOnlyMany] } }`,
    field: 'spec.accessModes',
  },
  'role of a RoleBinding': {
    yaml: `{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: a }, subjects: [] }`,
    change: `{ roleRef: { name: b } }`,
    field: 'roleRef.name',
  },
  'parameters of a StorageClass': {
    yaml: `{ apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: example.org/a, parameters: { a: b } }`,
    change: `{ parameters: { a: c } }`,
    field: 'parameters.a',
  },
  'data of an immutable ConfigMap': {
    yaml: `{ apiVersion: v1, kind: ConfigMap, immutable: true, data: { a: b } }`,
    change: `{ data: { a: c } }`,
    field: 'data.a',
  },
  'data of an immutable Secret': {
    yaml: `{ apiVersion: v1, kind: Secret, immutable: true, data: { a: YQ== } }`,
    change: `{ data: { a: aHVudGVyMg== } }`,
    field: 'data.a',
  },
  'type of a Secret': {
    yaml: `{ apiVersion: v1, kind: Secret, type: Opaque, data: { a: YQ== } }`,
    change: `{ type: example.org/other }`,
    field: 'type',
  },
  'containers of a Pod': {
    yaml: `{ apiVersion: v1, kind: Pod, spec: { restartPolicy: Never, containers: [{ name: app, image: "app:1" }] } }`,
    change: `{ spec: { restartPolicy: Always } }`,
    field: 'spec.restartPolicy',
  },
};

let count = 0;
function pair({ yaml, change }: Case, annotations: Record<string, string> = {}) {
  count += 1;
  const name = `${bench.real.namespace}-${count}`;
  const object = jsonObjectSchema.parse(load(yaml));
  const named = merged(object, { metadata: { name } });
  const changed = merged(named, jsonObjectSchema.parse(load(change)));
  return {
    first: bench.object(yamlOf(named)),
    second: bench.object(yamlOf(merged(changed, { metadata: { annotations } }))),
  };
}

async function entryOf(object: KubeObject): Promise<InventoryEntry> {
  const { entry } = await bench.apply(object);
  assert.ok(entry);
  return { ...entry, state: 'intent' };
}

describe('a field that cannot be changed is named, with what would change it', () => {
  for (const [name, kind] of Object.entries(cases)) {
    test(name, async () => {
      const { first, second } = pair(kind);
      const entry = await entryOf(first);
      const result = await bench.apply(second, { entry });
      assert.equal(result.failure, 'invalid', result.outcome.message);
      const message = result.outcome.message ?? '';
      assert.ok(message.startsWith(`${kind.field} cannot be changed on an object that exists; `), message);
      assert.match(message, /trueup\.dev\/immutable: recreate/);
      assert.ok(message.length < 400, message);
      assert.doesNotMatch(message, /aHVudGVyMg|hunter2/);
      await bench.real.admin.remove(bench.path(first));
    });
  }
});

describe('recreate', () => {
  for (const [name, kind] of Object.entries(cases)) {
    if (name === 'access modes of a claim') continue;
    test(name, async () => {
      const { first, second } = pair(kind, { 'trueup.dev/immutable': 'recreate' });
      const entry = await entryOf(first);
      const result = await bench.apply(second, { entry });
      assert.equal(result.failure, undefined, result.outcome.message);
      assert.equal(result.outcome.outcome, 'created');
      assert.equal(
        result.outcome.message,
        `was deleted and made again, since ${kind.field} cannot be changed`,
      );
      assert.notEqual(result.entry?.uid, entry.uid);
      assert.deepEqual([result.entry?.created, result.entry?.intendedAt], [true, undefined]);
      await bench.real.admin.remove(bench.path(first));
    });
  }

  test('by a rule; never a claim, unless its own annotation says so', async () => {
    const rules = '[{ immutable: recreate }]';
    const claim = cases['access modes of a claim'];
    const map = cases['data of an immutable ConfigMap'];
    assert.ok(claim && map);
    const { first, second } = pair(map);
    const result = await bench.apply(second, { entry: await entryOf(first), rules });
    assert.equal(at(result.live, 'data', 'a'), 'c');

    const claims = pair(claim);
    const entry = await entryOf(claims.first);
    const kept = await bench.apply(claims.second, { entry, rules });
    assert.equal(kept.failure, 'invalid');
    assert.match(kept.outcome.message ?? '', /give the object the annotation .* all that it holds is lost/);
    assert.equal(at(await bench.real.admin.get(bench.path(claims.first)), 'metadata', 'uid'), entry.uid);
  });

  test('never for an object that could not be made again: the old one stays', async () => {
    const map = cases['data of an immutable ConfigMap'];
    assert.ok(map);
    const { first, second } = pair(map, { 'trueup.dev/immutable': 'recreate' });
    const entry = await entryOf(first);
    const words = 'admission webhook "names.example.org" denied the request: no';
    const cluster = new Proxy(bench.cluster, {
      get: (target, name) => {
        if (name === 'apply') {
          return async (...args: Parameters<typeof target.apply>) =>
            args[2].dryRun ? { kind: 'refused', message: words } : target.apply(...args);
        }
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const result = await bench.apply(second, { entry, effects: { cluster } });
    assert.equal(result.failure, 'refused');
    assert.equal(
      result.outcome.message,
      `was not deleted to be made again, since it could not be made again: ${words}`,
    );
    assert.equal(at(await bench.real.admin.get(bench.path(first)), 'metadata', 'uid'), entry.uid);
  });

  test('never when something else is wrong as well, which no new object would mend', async () => {
    const map = cases['data of an immutable ConfigMap'];
    assert.ok(map);
    const { first, second } = pair(map, { 'trueup.dev/immutable': 'recreate' });
    const entry = await entryOf(first);
    const result = await bench.apply({ ...second, data: { '..': 'c' } }, { entry });
    assert.equal(result.failure, 'invalid');
    assert.match(result.outcome.message ?? '', /data\[\.\.\]: Invalid value/);
    assert.equal(at(await bench.real.admin.get(bench.path(first)), 'metadata', 'uid'), entry.uid);
  });

  test('never what we neither created nor adopted', async () => {
    const map = cases['data of an immutable ConfigMap'];
    assert.ok(map);
    const { first, second } = pair(map, { 'trueup.dev/immutable': 'recreate' });
    const entry = await entryOf(first);
    const result = await bench.apply(second, { entry: { ...entry, created: false } });
    assert.equal(result.failure, 'refused');
    assert.match(result.outcome.message ?? '', /we neither created it nor were told to adopt it/);
  });

  test('orphan-and-recreate: the pods of a StatefulSet live on and are its own again', async () => {
    const set = (serviceName: string): KubeObject =>
      bench.object(`
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: { name: kept, annotations: { trueup.dev/immutable: orphan-and-recreate } }
        spec: { serviceName: ${serviceName}, replicas: 1, selector: { matchLabels: { app: x } }, template: ${pod} }
      `);
    const entry = await entryOf(set('a'));
    const podPath = `/api/v1/namespaces/${bench.real.namespace}/pods/kept-0`;
    await bench.real.admin.until(podPath, (found) => found !== undefined);
    const uid = at(await bench.real.admin.get(podPath), 'metadata', 'uid');
    const result = await bench.apply(set('b'), { entry });
    assert.equal(result.outcome.outcome, 'created', result.outcome.message);
    const owner = (found: JsonObject | undefined) => at(found, 'metadata', 'ownerReferences', 0, 'uid');
    await bench.real.admin.until(podPath, (found) => owner(found) === result.entry?.uid);
    assert.equal(at(await bench.real.admin.get(podPath), 'metadata', 'uid'), uid);
  });
});

test('what finalizers hold is waited for, then named and left to the next run', async () => {
  const map = (value: string): KubeObject =>
    bench.object(`
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: held, finalizers: [example.org/wait], annotations: { trueup.dev/immutable: recreate } }
      immutable: true
      data: { a: ${value} }
    `);
  const entry = await entryOf(map('b'));
  let waited = 0;
  const clock = {
    now: () => Date.now(),
    sleep: async (milliseconds: number) => {
      waited += milliseconds;
      await Promise.resolve();
    },
  };
  const result = await bench.apply(map('c'), { entry, effects: { clock } });
  assert.equal(result.failure, 'retry');
  assert.match(
    result.outcome.message ?? '',
    /is being deleted since \S+: .*finalizers example\.org\/wait; it is made again once it is gone/,
  );
  assert.equal(waited, 30_000);
  const again = await bench.apply(map('c'), { entry });
  assert.match(again.outcome.message ?? '', /is being deleted since .* it is applied again once it is gone/);
  await bench.real.admin.patch(bench.path(map('c')), { metadata: { finalizers: null } });
  const last = await bench.apply(map('c'));
  assert.equal(last.outcome.outcome, 'created');
  await bench.real.admin.patch(bench.path(map('c')), { metadata: { finalizers: null } });
});

test('an answer that never came leaves the intent: the next run finishes', async () => {
  const map = cases['data of an immutable ConfigMap'];
  assert.ok(map);
  const { first, second } = pair(map, { 'trueup.dev/immutable': 'recreate' });
  const entry = await entryOf(first);
  const silent = new Proxy(bench.cluster, {
    get: (target, name) => {
      if (name === 'delete') {
        return async (...args: Parameters<typeof target.delete>) => {
          await target.delete(...args);
          throw new Retry({ subject: 'cluster', message: 'no answer' });
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const result = await bench.apply(second, { entry, effects: { cluster: silent } });
  assert.deepEqual([result.failure, result.entry], ['retry', undefined]);
  const finished = await bench.apply(second);
  assert.equal(finished.outcome.outcome, 'created');
});
