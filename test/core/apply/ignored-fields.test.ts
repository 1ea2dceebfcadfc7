import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { driftOf } from '../../../core/drift/object-drift.ts';
import { adjustDesired } from '../../../core/adjust-desired.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { policyOf, Workbench } from './workbench.ts';

let bench: Workbench;
before(async () => {
  bench = await Workbench.open('ignored');
});
after(async () => bench.real.stop());

const deployment = (
  name: string,
  { replicas = 2, image = 'app:1', cpu = '100m', level = 'info' } = {},
): KubeObject =>
  bench.object(`
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: ${name}, annotations: { level: ${level} } }
    spec:
      replicas: ${replicas}
      selector: { matchLabels: { app: ${name} } }
      template:
        metadata: { labels: { app: ${name} } }
        spec:
          containers:
            - { name: app, image: "${image}", resources: { requests: { cpu: ${cpu} } } }
  `);

/** Writes the scale subresource, as a HorizontalPodAutoscaler does. */
const scale = async (object: KubeObject, replicas: number): Promise<void> => {
  const path = `${bench.path(object)}/scale`;
  await bench.real.admin.patch(path, { spec: { replicas } }, 'kube-controller-manager');
};

const containers = ['spec', 'template', 'spec', 'containers', 0] as const;

/** What the check of the object says: it sends the same as an apply would. */
async function isClean(object: KubeObject, rules: string): Promise<boolean> {
  const address = bench.address(object);
  const policy = policyOf({ rules });
  for (let look = 0; look < 20; look += 1) {
    const live = await bench.cluster.get(address);
    assert.ok(live);
    const { object: adjusted } = adjustDesired(object, live, policy);
    const outcome = await bench.cluster.apply(address, adjusted, { dryRun: true, force: true });
    assert.equal(outcome.kind, 'applied');
    // Controllers note status all the time; only answers of one version can be compared.
    if (outcome.object.metadata.resourceVersion !== live.metadata.resourceVersion) continue;
    const verdict = driftOf(live, outcome.object, { mask: (text) => text, policy, desired: object });
    return verdict.kind === 'clean';
  }
  throw new Error('the object changed with every look');
}

describe('a field that a rule ignores', () => {
  const rules = '[{ fields: [/spec/replicas], drift: ignore }]';

  test('is set when the object is created, then an autoscaler has it, and a commit changes the rest', async () => {
    const created = await bench.apply(deployment('scaled'), { rules });
    assert.equal(at(created.live, 'spec', 'replicas'), 2);
    await scale(deployment('scaled'), 5);
    const result = await bench.apply(deployment('scaled', { replicas: 3, image: 'app:2' }), { rules });
    assert.equal(result.outcome.message, 'yields spec.replicas to kube-controller-manager');
    assert.deepEqual(
      [at(result.live, 'spec', 'replicas'), at(result.live, ...containers, 'image')],
      [5, 'app:2'],
    );
    assert.ok(await isClean(deployment('scaled', { replicas: 3, image: 'app:2' }), rules));
  });

  test('stays as it is when nobody else has it, and does not vanish though Git changes it', async () => {
    await bench.apply(deployment('ours'), { rules });
    const result = await bench.apply(deployment('ours', { replicas: 9, image: 'app:2' }), { rules });
    assert.deepEqual(
      [at(result.live, 'spec', 'replicas'), at(result.live, ...containers, 'image')],
      [2, 'app:2'],
    );
    const again = await bench.apply(deployment('ours', { replicas: 9, image: 'app:2' }), { rules });
    assert.deepEqual(
      [again.live?.metadata.generation, at(again.live, 'spec', 'replicas')],
      [result.live?.metadata.generation, 2],
    );
  });

  test('without a rule what an autoscaler wrote is put right', async () => {
    await bench.apply(deployment('desired'));
    await scale(deployment('desired'), 5);
    assert.equal(await isClean(deployment('desired'), '[]'), false);
    const result = await bench.apply(deployment('desired'));
    assert.equal(at(result.live, 'spec', 'replicas'), 2);
  });

  test('by its manager: a vertical autoscaler has its requests, a person does not', async () => {
    const byManager = '[{ managers: [vpa-updater], drift: ignore }]';
    const object = (image: string) => deployment('vertical', { image });
    await bench.apply(object('app:1'), { rules: byManager });
    const requests = {
      op: 'replace',
      path: '/spec/template/spec/containers/0/resources/requests/cpu',
      value: '2',
    };
    await bench.real.admin.patch(bench.path(object('')), [requests], 'vpa-updater');
    await bench.real.admin.patch(bench.path(object('')), { metadata: { annotations: { level: 'debug' } } });
    const result = await bench.apply(object('app:2'), { rules: byManager });
    assert.deepEqual(
      [
        at(result.live, ...containers, 'resources', 'requests', 'cpu'),
        at(result.live, ...containers, 'image'),
        at(result.live, 'metadata', 'annotations', 'level'),
      ],
      ['2', 'app:2', 'info'],
    );
    assert.ok(await isClean(object('app:2'), byManager));
  });

  test('by an expression over the live object', async () => {
    const paused = `[{ when: 'object.metadata.annotations["level"] == "debug" && field.path.startsWith("/spec/replicas")', drift: ignore }]`;
    await bench.apply(deployment('paused'), { rules: paused });
    await bench.real.admin.patch(bench.path(deployment('paused')), {
      metadata: { annotations: { level: 'debug' } },
      spec: { replicas: 0 },
    });
    const result = await bench.apply(deployment('paused'), { rules: paused });
    assert.equal(at(result.live, 'spec', 'replicas'), 0);
  });

  test('part of a list that is owned as one: the weights of a canary stay, the host is ours', async () => {
    const rule = '[{ fields: [/spec/rules/*/http/paths/*/backend/service/port/number], drift: ignore }]';
    const ingress = (host: string, port: number): KubeObject =>
      bench.object(`
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: { name: canary }
        spec:
          rules:
            - host: ${host}
              http:
                paths: [{ path: /, pathType: Prefix, backend: { service: { name: a, port: { number: ${port} } } } }]
      `);
    const port = ['spec', 'rules', 0, 'http', 'paths', 0, 'backend', 'service', 'port', 'number'] as const;
    await bench.apply(ingress('a.example.org', 80), { rules: rule });
    const path = `/${port.join('/')}`;
    await bench.real.admin.patch(
      bench.path(ingress('', 80)),
      [{ op: 'replace', path, value: 81 }],
      'flagger',
    );
    const result = await bench.apply(ingress('b.example.org', 80), { rules: rule });
    assert.deepEqual(
      [at(result.live, 'spec', 'rules', 0, 'host'), at(result.live, ...port)],
      ['b.example.org', 81],
    );
    assert.ok(await isClean(ingress('b.example.org', 80), rule));
  });
});

test('yield: what somebody else has is no drift either, and its return to us is', async () => {
  const rules = '[{ match: { kind: Deployment }, conflicts: yield }]';
  await bench.apply(deployment('yielding'), { rules });
  await scale(deployment('yielding'), 4);
  assert.ok(await isClean(deployment('yielding'), rules));
  assert.equal(await isClean(deployment('yielding', { image: 'app:2' }), rules), false);
});
