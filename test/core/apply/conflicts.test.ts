import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import type { Cluster } from '../../../core/ports.ts';
import { at } from '../../cluster/cluster-client.ts';
import { Workbench } from './workbench.ts';

let bench: Workbench;
before(async () => {
  bench = await Workbench.open('conflicts');
});
after(async () => bench.real.stop());

const deployment = (name: string, { replicas = 2, image = 'app:1', conflicts = '' } = {}): KubeObject =>
  bench.object(`
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: ${name}
      annotations: { ${conflicts === '' ? '' : `trueup.dev/conflicts: ${conflicts}`} }
    spec:
      replicas: ${replicas}
      selector: { matchLabels: { app: ${name} } }
      template:
        metadata: { labels: { app: ${name} } }
        spec:
          containers:
            - { name: app, image: "${image}", ports: [{ containerPort: 80 }] }
            - { name: side, image: "side:1" }
  `);

/** Somebody else writes, as \`kubectl edit\` does. */
const write = async (object: KubeObject, patch: object, manager = 'rival'): Promise<void> => {
  await bench.real.admin.patch(bench.path(object), JSON.parse(JSON.stringify(patch)), manager);
};

/** Requests that the connection was asked for, in order. */
function counted(cluster: Cluster): { cluster: Cluster; requests: string[] } {
  const requests: string[] = [];
  const proxy = new Proxy(cluster, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        requests.push(String(name));
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
  return { cluster: proxy, requests };
}

describe('a field that we declare and somebody else has written', () => {
  test('is ours by default, with one request', async () => {
    await bench.apply(deployment('override'));
    await write(deployment('override'), { spec: { replicas: 5 } });
    const { cluster, requests } = counted(bench.cluster);
    const result = await bench.apply(deployment('override'), { effects: { cluster } });
    assert.equal(result.outcome.outcome, 'updated');
    assert.equal(at(result.live, 'spec', 'replicas'), 2);
    assert.deepEqual(requests, ['apply']);
  });

  test('fail: nothing is written, and field, manager and remedy are named', async () => {
    await bench.apply(deployment('fail', { conflicts: 'fail' }));
    await write(deployment('fail'), { spec: { replicas: 5 } });
    const result = await bench.apply(deployment('fail', { conflicts: 'fail', image: 'app:2' }));
    assert.equal(result.failure, 'refused');
    assert.match(result.outcome.message ?? '', /^spec\.replicas is owned by rival with another value/);
    assert.match(result.outcome.message ?? '', /trueup\.dev\/conflicts: override or yield/);
    const live = await bench.real.admin.get(bench.path(deployment('fail')));
    assert.equal(at(live, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'app:1');
  });

  test('yield: it is left to them and noted, and the rest is applied', async () => {
    await bench.apply(deployment('yield', { conflicts: 'yield' }));
    await write(deployment('yield'), { spec: { replicas: 5 } });
    const result = await bench.apply(deployment('yield', { conflicts: 'yield', image: 'app:2' }));
    assert.equal(result.outcome.message, 'yields spec.replicas to rival');
    assert.equal(at(result.live, 'spec', 'replicas'), 5);
    assert.equal(at(result.live, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'app:2');
  });

  test('yield: our label is never left to another', async () => {
    const object = bench.object(`
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: label
        labels: { trueup.dev/application: web, team: a }
        annotations: { trueup.dev/conflicts: yield }
      data: { a: "1" }
    `);
    await bench.apply(object);
    await write(object, { metadata: { labels: { 'trueup.dev/application': 'other', team: 'b' } } });
    const result = await bench.apply(object);
    assert.equal(result.outcome.message, 'yields metadata.labels.team to rival');
    assert.deepEqual(result.live?.metadata.labels, { 'trueup.dev/application': 'web', team: 'b' });
  });

  test('yield: a field of a list item goes alone, the item keeps its keys', async () => {
    const rules = '[{ match: { kind: Deployment }, conflicts: yield }]';
    await bench.apply(deployment('item'), { rules });
    const patch = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'theirs:1' };
    await write(deployment('item'), [patch]);
    const result = await bench.apply(deployment('item', { image: 'app:2', replicas: 3 }), { rules });
    assert.equal(result.outcome.message, 'yields spec.template.spec.containers[name="app"].image to rival');
    const containers = at(result.live, 'spec', 'template', 'spec', 'containers');
    assert.deepEqual(
      [at(containers, 0, 'image'), at(containers, 1, 'image'), at(result.live, 'spec', 'replicas')],
      ['theirs:1', 'side:1', 3],
    );
  });

  test('each field by its own rule: one yields, one is taken, one fails', async () => {
    const rules = `
      - { fields: [/spec/replicas], conflicts: yield }
      - { fields: ['/metadata/annotations/example.org~1a.b'], conflicts: fail }
    `;
    const object = (image: string, extra: Record<string, string> = {}): KubeObject => {
      const made = deployment('mixed', { image });
      return { ...made, metadata: { ...made.metadata, annotations: extra } };
    };
    await bench.apply(object('app:1'), { rules });
    const image = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'theirs:1' };
    await write(object(''), [{ op: 'replace', path: '/spec/replicas', value: 7 }, image]);
    const result = await bench.apply(object('app:2'), { rules });
    assert.equal(result.outcome.message, 'yields spec.replicas to rival');
    assert.equal(at(result.live, 'spec', 'replicas'), 7);
    assert.equal(at(result.live, 'spec', 'template', 'spec', 'containers', 0, 'image'), 'app:2');

    await write(object(''), { metadata: { annotations: { 'example.org/a.b': 'theirs' } } });
    const refused = await bench.apply(object('app:3', { 'example.org/a.b': 'ours' }), { rules });
    assert.equal(refused.failure, 'refused');
    assert.match(
      refused.outcome.message ?? '',
      /^metadata\.annotations\["example\.org\/a\.b"\] is owned by rival/,
    );
  });
});
