import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ourEntry } from '../../../core/field-owners.ts';
import type { InventoryEntry } from '../../../core/model/inventory.ts';
import type { Json } from '../../../core/model/json.ts';
import { refOf, type KubeObject, type LiveObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { findTools, type Tools } from '../../cluster/tools.ts';
import { Workbench } from './workbench.ts';

const run = promisify(execFile);
let bench: Workbench;
let tools: Tools;
let folder: string;
before(async () => {
  bench = await Workbench.open('adoption');
  tools = await findTools({ progress: () => undefined });
  folder = await mkdtemp(join(tmpdir(), 'trueup-adoption-'));
});
after(async () => {
  await bench.real.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What stands on the cluster has more than what Git wants: a label, an annotation, an argument, a variable. */
const manifest = (name: string, labels = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: { app: ${name}, old: label${labels} }
  annotations: { old.example.org/note: gone }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: app
          image: app:1
          args: [--old]
          env: [{ name: OLD, value: "1" }, { name: KEPT, value: "2" }]
        - { name: sidecar, image: "old:1" }
`;
const wanted = (name: string): KubeObject =>
  bench.object(`
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: ${name}, labels: { app: ${name} } }
    spec:
      selector: { matchLabels: { app: ${name} } }
      template:
        metadata: { labels: { app: ${name} } }
        spec: { containers: [{ name: app, image: "app:1", env: [{ name: KEPT, value: "2" }] }] }
  `);

const kubectl = async (...args: readonly string[]): Promise<void> => {
  const common = ['--kubeconfig', bench.real.kubeconfigPath, '--namespace', bench.real.namespace];
  await run(tools.kubectl, [...common, ...args]);
};

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The same object with the autoscaler's and the controllers' hands in it. */
async function scaledTo(object: KubeObject, replicas: number): Promise<void> {
  const path = `${bench.path(object)}/scale`;
  await bench.real.admin.patch(path, { spec: { replicas } }, 'kube-controller-manager');
}

async function entryOf(object: KubeObject): Promise<InventoryEntry> {
  const live = await bench.cluster.get(bench.address(object));
  assert.ok(live);
  const { apiVersion, plural } = bench.address(object);
  const common = { ref: refOf(object), apiVersion, plural, state: 'intent' as const };
  return { ...common, created: false, adopted: true, uid: live.metadata.uid };
}

/** Who owns what, our own fields and those of status left out. */
function managersOf({ metadata }: LiveObject): readonly string[] {
  const owners = (metadata.managedFields ?? []).filter(({ subresource }) => subresource !== 'status');
  return [...new Set(owners.map(({ manager = '' }) => manager))].toSorted();
}

/** All that the manifests had in common and Git does not have is gone; what controllers wrote is not. */
function assertTrue(live: LiveObject, replicas: number): void {
  const spec = at(live, 'spec', 'template', 'spec');
  const names = (value: Json | undefined): Json[] =>
    Array.isArray(value) ? value.map((item: Json) => at(item, 'name') ?? null) : [];
  const { old } = live.metadata.labels ?? {};
  const annotations = Object.keys(live.metadata.annotations ?? {}).filter(
    (name) => name !== 'deployment.kubernetes.io/revision',
  );
  assert.deepEqual(
    {
      old,
      annotations,
      containers: names(at(spec, 'containers')),
      env: names(at(spec, 'containers', 0, 'env')),
      args: at(spec, 'containers', 0, 'args'),
      grace: at(spec, 'terminationGracePeriodSeconds'),
      replicas: at(live, 'spec', 'replicas'),
    },
    {
      old: undefined,
      annotations: [],
      containers: ['app'],
      env: ['KEPT'],
      args: undefined,
      grace: 30,
      replicas,
    },
  );
  assert.ok(at(live, 'status', 'observedGeneration'));
}

/** Adopts, and shows the object as it is then. */
async function adopt(object: KubeObject): Promise<{ live: LiveObject; message: string }> {
  await bench.real.admin.until(
    bench.path(object),
    (found) => at(found, 'status', 'observedGeneration') !== undefined,
  );
  const result = await bench.apply(object, { entry: await entryOf(object) });
  assert.equal(result.failure, undefined, result.outcome.message);
  assert.ok(result.live);
  assert.equal(result.entry?.adopted, true);
  return { live: result.live, message: result.outcome.message ?? '' };
}

describe('adoption takes over what another tool declared, so that what Git lacks goes', () => {
  test('kubectl apply: its annotation goes too, and the replicas of an autoscaler stay', async () => {
    await kubectl('apply', '-f', await file('csa.yaml', manifest('csa')));
    await scaledTo(wanted('csa'), 4);
    const { live, message } = await adopt(wanted('csa'));
    assert.match(message, /^took over the fields of kubectl-client-side-apply$/);
    assertTrue(live, 4);
    assert.deepEqual(managersOf(live), ['kube-controller-manager', 'trueup']);
  });

  test('kubectl create, and an apply by kubectl on the server afterwards', async () => {
    await kubectl('create', '-f', await file('create.yaml', manifest('create')));
    await kubectl(
      'apply',
      '--server-side',
      '--force-conflicts',
      '-f',
      await file('ssa.yaml', manifest('create')),
    );
    await scaledTo(wanted('create'), 3);
    const { live, message } = await adopt(wanted('create'));
    assert.equal(message, 'took over the fields of kubectl, kubectl-create');
    assertTrue(live, 3);
  });

  test('helm install: with its label and annotations', async () => {
    const chart = join(folder, 'chart');
    await mkdir(join(chart, 'templates'), { recursive: true });
    await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
    await writeFile(join(chart, 'templates', 'all.yaml'), manifest('helm'));
    const where = ['--kubeconfig', bench.real.kubeconfigPath, '--namespace', bench.real.namespace];
    await run(tools.helm, ['install', 'release', chart, ...where]);
    const found = await bench.cluster.get(bench.address(wanted('helm')));
    assert.equal(found?.metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm');
    await scaledTo(wanted('helm'), 6);
    const { live, message } = await adopt(wanted('helm'));
    assert.match(message, /^took over the fields of [Hh]elm$/);
    assertTrue(live, 6);
    assert.deepEqual(live.metadata.labels, { app: 'helm' });
  });

  const labelled = {
    'argocd-controller': ', argocd.argoproj.io/instance: shop',
    'kustomize-controller': ', kustomize.toolkit.fluxcd.io/name: apps',
    'helm-controller': ', helm.toolkit.fluxcd.io/name: apps',
    'kapp-server-side-apply': ', kapp.k14s.io/app: "1"',
  };
  for (const [manager, labels] of Object.entries(labelled)) {
    test(`server-side apply by ${manager}, with its label`, async () => {
      const object = bench.object(manifest(manager, labels));
      await bench.real.admin.apply(bench.path(object), object, manager);
      await scaledTo(object, 5);
      const { live, message } = await adopt(wanted(manager));
      assert.equal(message, `took over the fields of ${manager}`);
      assertTrue(live, 5);
      assert.deepEqual(live.metadata.labels, { app: manager });
    });
  }

  test('Argo CD without server-side apply', async () => {
    const object = bench.object(manifest('argo-update'));
    const path = bench.path(object).replace(/\/[^/]*$/, '');
    await bench.real.admin.create(`${path}?fieldManager=argocd-controller`, object);
    const { live } = await adopt(wanted('argo-update'));
    assertTrue(live, 1);
  });

  test('what a person changed by hand is theirs, and is noted as there before us', async () => {
    await kubectl('apply', '-f', await file('hand.yaml', manifest('hand')));
    const patch = {
      metadata: { annotations: { 'example.org/by-hand': 'yes' }, finalizers: ['example.org/wait'] },
    };
    await bench.real.admin.patch(bench.path(wanted('hand')), patch);
    const result = await bench.apply(wanted('hand'), { entry: await entryOf(wanted('hand')) });
    assert.equal(result.live?.metadata.annotations?.['example.org/by-hand'], 'yes');
    assert.deepEqual(result.live.metadata['finalizers'], ['example.org/wait']);
    assert.equal(result.entry?.baseline?.length, 2);
    await bench.real.admin.patch(bench.path(wanted('hand')), { metadata: { finalizers: null } });
  });
});

test('only at adoption: a later kubectl apply adds a field of its own, which is not ours to take away', async () => {
  const name = 'later';
  await kubectl('apply', '-f', await file('later.yaml', manifest(name)));
  await adopt(wanted(name));
  await kubectl('label', 'deployment', name, 'later=kubectl');
  const entry = { ...(await entryOf(wanted(name))), desiredDigest: 'v1' };
  const result = await bench.apply(wanted(name), { entry });
  assert.equal(result.live?.metadata.labels?.['later'], 'kubectl');
});

test('an object that others write meanwhile is read again', async () => {
  const object = bench.object(manifest('busy'));
  await bench.real.admin.apply(bench.path(object), object, 'argocd-controller');
  const entry = await entryOf(object);
  let writes = 0;
  const cluster = new Proxy(bench.cluster, {
    get: (target, name) => {
      if (name === 'patch') {
        return async (...args: Parameters<typeof target.patch>) => {
          if (writes < 2) await scaledTo(object, 7 + writes);
          writes += 1;
          return target.patch(...args);
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const result = await bench.apply(wanted('busy'), { entry, effects: { cluster } });
  assert.equal(result.outcome.message, 'took over the fields of argocd-controller');
  assert.ok(writes >= 3, `${writes} tries`);
  assert.equal(at(result.live, 'spec', 'replicas'), 8);
});

test('a run that dies between the two steps is repeated whole', async () => {
  const object = bench.object(manifest('dead'));
  await bench.real.admin.apply(bench.path(object), object, 'kustomize-controller');
  const entry = await entryOf(object);
  const died = new Error('died');
  const dead = new Proxy(bench.cluster, {
    get: (target, name) => {
      if (name === 'apply') return () => Promise.reject(died);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  await assert.rejects(bench.apply(wanted('dead'), { entry, effects: { cluster: dead } }), died);
  const between = await bench.cluster.get(bench.address(object));
  assert.ok(between && ourEntry(between));
  assert.equal(between.metadata.labels?.['old'], 'label');
  const { live } = await adopt(wanted('dead'));
  assertTrue(live, 1);
});
