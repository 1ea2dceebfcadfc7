import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { FieldDrift } from '../../../core/model/drift.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import { describeRef, refOf, type KubeObject } from '../../../core/model/object.ts';
import { objectsOf } from '../../../core/render/objects.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { findTools } from '../../cluster/tools.ts';
import { labelled, workbench, type Workbench } from './workbench.ts';

const run = promisify(execFile);

let testing: TestCluster;
let bench: Workbench;
let kubectlPath: string;

before(async () => {
  testing = await testCluster('drift');
  bench = await workbench(testing.kubeconfig);
  kubectlPath = (await findTools({ progress: () => undefined })).kubectl;
});
after(async () => testing.stop());

async function kubectl(...args: string[]): Promise<void> {
  const place = ['--kubeconfig', testing.kubeconfigPath, '--namespace', testing.namespace];
  await run(kubectlPath, [...place, ...args]);
}

function told({ class: kind, path, manager }: FieldDrift): string {
  return [kind, path, manager ?? ''].filter(Boolean).join(' ');
}

async function driftOn(object: KubeObject): Promise<string[]> {
  const verdict = await bench.judge(object);
  if (verdict.kind === 'drifted') return verdict.drift.fields.map(told).sort();
  return verdict.kind === 'clean' ? [] : [verdict.kind];
}

function deployment(name: string, spec: JsonObject = {}): KubeObject {
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: testing.namespace, labels: { tier: 'front' } },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'a:1',
              args: ['--a', '--b'],
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '$(A)' },
              ],
            },
            { name: 'log', image: 'l:1' },
          ],
        },
      },
      ...spec,
    },
  };
  return labelled(object, 'web');
}

const app = 'spec.template.spec.containers[name="app"]';

/** Each edit is made to a Deployment of its own, by the tool or manager that is named. */
const edits: readonly {
  readonly name: string;
  readonly spec?: JsonObject;
  readonly edit: (path: string, as: string, client: ClusterClient) => Promise<unknown>;
  readonly drift: readonly string[];
  /** What a new apply leaves behind. */
  readonly stays?: readonly string[];
}[] = [
  {
    name: 'nothing',
    edit: async () => undefined,
    drift: [],
  },
  {
    name: 'kubectl set image',
    edit: async (_, name) => kubectl('set', 'image', `deployment/${name}`, 'app=a:2'),
    drift: [`changed ${app}.image kubectl-set`],
  },
  {
    name: 'kubectl edit',
    edit: async (_, name) =>
      run(
        kubectlPath,
        ['--kubeconfig', testing.kubeconfigPath, '-n', testing.namespace, 'edit', `deployment/${name}`],
        {
          env: { ...process.env, KUBE_EDITOR: "sed -i 's/image: a:1/image: a:3/'" },
        },
      ),
    drift: [`changed ${app}.image kubectl-edit`],
  },
  {
    name: 'kubectl patch (strategic merge)',
    edit: async (_, name) =>
      kubectl(
        'patch',
        `deployment/${name}`,
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"log","image":"l:9"}]}}}}',
      ),
    drift: ['changed spec.template.spec.containers[name="log"].image kubectl-patch'],
  },
  {
    name: 'kubectl scale where Git sets replicas',
    spec: { replicas: 2 },
    edit: async (_, name) => kubectl('scale', `deployment/${name}`, '--replicas=5'),
    drift: ['changed spec.replicas kubectl'],
  },
  {
    // The server gives the zero of a Scale no owner, so nobody can be named.
    name: 'kubectl scale to nothing',
    spec: { replicas: 2 },
    edit: async (_, name) => kubectl('scale', `deployment/${name}`, '--replicas=0'),
    drift: ['changed spec.replicas'],
  },
  {
    // Nobody owned the field before, and then the server gives it no owner: nobody's wish is hurt.
    name: 'kubectl scale where Git leaves replicas to others',
    edit: async (_, name) => kubectl('scale', `deployment/${name}`, '--replicas=5'),
    drift: [],
  },
  {
    name: 'kubectl label with a label of its own',
    edit: async (_, name) => kubectl('label', `deployment/${name}`, 'team=red'),
    drift: ['foreign metadata.labels.team kubectl-label'],
    stays: ['foreign metadata.labels.team kubectl-label'],
  },
  {
    name: 'kubectl label over one of ours',
    edit: async (_, name) => kubectl('label', `deployment/${name}`, 'tier=back', '--overwrite'),
    drift: ['changed metadata.labels.tier kubectl-label'],
  },
  {
    name: 'kubectl label that takes our mark away',
    edit: async (_, name) => kubectl('label', `deployment/${name}`, 'trueup.dev/application-'),
    drift: ['removed metadata.labels["trueup.dev/application"]'],
  },
  {
    name: 'kubectl rollout restart',
    edit: async (_, name) => kubectl('rollout', 'restart', `deployment/${name}`),
    drift: [],
  },
  {
    name: 'kubectl apply of another image',
    edit: async (_, name) => {
      const object = JSON.stringify(deployment(name)).replace('a:1', 'a:4');
      const child = run(kubectlPath, ['--kubeconfig', testing.kubeconfigPath, 'apply', '-f', '-']);
      child.child.stdin?.end(object);
      await child;
    },
    drift: [
      `changed ${app}.image kubectl-client-side-apply`,
      'foreign metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] kubectl-client-side-apply',
    ],
    stays: [
      'foreign metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] kubectl-client-side-apply',
    ],
  },
  {
    name: 'server-side apply by force of another value',
    edit: async (path, name, client) =>
      client.apply(
        path,
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name },
          spec: { template: { spec: { containers: [{ name: 'app', image: 'a:5' }] } } },
        },
        'rival',
      ),
    drift: [`changed ${app}.image rival`],
  },
  {
    name: 'server-side apply of the same value',
    edit: async (path, name, client) =>
      client.apply(
        path,
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name },
          spec: { template: { spec: { containers: [{ name: 'app', image: 'a:1' }] } } },
        },
        'rival',
      ),
    drift: [],
  },
  {
    name: 'a value changed and put back: its owner stays another',
    spec: { replicas: 2 },
    edit: async (path, _, client) => {
      await client.patch(path, { spec: { replicas: 3 } });
      await client.patch(path, { spec: { replicas: 2 } });
    },
    drift: ['ownership spec.replicas kubectl-edit'],
  },
  {
    name: 'a key removed',
    spec: { replicas: 2, minReadySeconds: 3 },
    edit: async (path, _, client) => client.patch(path, { spec: { minReadySeconds: null } }),
    drift: ['removed spec.minReadySeconds'],
  },
  {
    name: 'a list item removed',
    edit: async (path, _, client) =>
      client.patch(path, [{ op: 'remove', path: '/spec/template/spec/containers/1' }]),
    drift: ['removed spec.template.spec.containers[name="log"]'],
  },
  {
    name: 'a list item added',
    edit: async (path, _, client) =>
      client.patch(
        path,
        [{ op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'mesh', image: 'm:1' } }],
        'injector',
      ),
    drift: ['foreign spec.template.spec.containers[name="mesh"] injector'],
    stays: ['foreign spec.template.spec.containers[name="mesh"] injector'],
  },
  {
    name: 'an item of an atomic list changed',
    edit: async (path, _, client) =>
      client.patch(path, [{ op: 'replace', path: '/spec/template/spec/containers/0/args/1', value: '--c' }]),
    drift: [`changed ${app}.args kubectl-edit`],
  },
  {
    name: 'variables in another order',
    edit: async (path, _, client) => {
      const value = [
        { name: 'B', value: '$(A)' },
        { name: 'A', value: '1' },
      ];
      await client.patch(path, [{ op: 'replace', path: '/spec/template/spec/containers/0/env', value }]);
    },
    drift: [`changed ${app}.env`],
  },
  {
    name: 'a container and a value at once',
    edit: async (path, _, client) =>
      client.patch(path, [
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'a:7' },
        { op: 'remove', path: '/spec/template/spec/containers/1' },
        { op: 'add', path: '/spec/paused', value: true },
      ]),
    drift: [
      `changed ${app}.image kubectl-edit`,
      'foreign spec.paused kubectl-edit',
      'removed spec.template.spec.containers[name="log"]',
    ],
    stays: ['foreign spec.paused kubectl-edit'],
  },
  {
    name: 'managedFields wiped',
    edit: async (path, _, client) => client.patch(path, { metadata: { managedFields: [{}] } }),
    drift: ['ownership metadata.managedFields'],
  },
  {
    name: 'a finalizer and an owner added',
    edit: async (path, _, client) => client.patch(path, { metadata: { finalizers: ['example.com/hold'] } }),
    drift: ['foreign metadata.finalizers[="example.com/hold"] kubectl-edit'],
    stays: ['foreign metadata.finalizers[="example.com/hold"] kubectl-edit'],
  },
  {
    name: 'kubectl delete',
    edit: async (_, name) => kubectl('delete', `deployment/${name}`, '--wait=true'),
    drift: ['missing'],
  },
];

describe('drift on a real API server', () => {
  let kinds: readonly KubeObject[];

  it('is nowhere right after an apply, whatever the kind', async () => {
    const text = await readFile(join(import.meta.dirname, 'kinds.yaml'), 'utf8');
    kinds = readYaml('kinds.yaml', text)
      .flatMap((document) => objectsOf(document).objects)
      .map(({ object }) => ({ ...object, metadata: { ...object.metadata, namespace: testing.namespace } }))
      .map((object) => labelled(object, 'kinds'));
    for (const object of kinds) await bench.apply(object);
    assert.deepEqual(await driftOnAll(kinds), []);
  });

  for (const [index, { name, spec, edit, drift, stays = [] }] of edits.entries()) {
    it(`after ${name}`, async () => {
      const object = deployment(`case-${index}`, spec);
      await bench.apply(object);
      const path = await bench.pathOf(object);
      await edit(path, object.metadata.name, testing.admin);
      assert.deepEqual(await driftOn(object), drift);
      await bench.apply(object);
      assert.deepEqual(await driftOn(object), stays, 'after another apply');
      await testing.admin.patch(path, { metadata: { finalizers: null } });
      await testing.admin.remove(path);
    });
  }

  it('tells what we stopped wanting and would take with us', async () => {
    await bench.apply(deployment('dropped', { minReadySeconds: 3 }));
    assert.deepEqual(await driftOn(deployment('dropped')), ['dropped spec.minReadySeconds']);
  });

  it('tells values with their manager and its time, and those of Secrets as keyed digests', async () => {
    const metadata = { name: 'hidden', namespace: testing.namespace };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { password: 'c2VjcmV0' } };
    await bench.apply(secret);
    await testing.admin.patch(await bench.pathOf(secret), {
      data: { password: 'b3RoZXI=', more: 'bW9yZQ==' },
    });
    const verdict = await bench.judge(secret);
    assert.ok(verdict.kind === 'drifted');
    assert.doesNotMatch(JSON.stringify(verdict), /c2VjcmV0|b3RoZXI|bW9yZQ/);
    const [changed] = verdict.drift.fields;
    assert.deepEqual(
      [changed?.path, changed?.desired, changed?.live, changed?.operation],
      ['data.password', 'keyed(8)', 'keyed(8)', 'Update'],
    );
    assert.match(changed?.at ?? '', /^\d{4}-\d\d-\d\dT/);
  });

  it('is nowhere once controllers have been at work, nor after an apply that changes nothing', async () => {
    if (testing.controlPlane?.lacking.length === 0 || process.env['TRUEUP_TEST_KUBECONFIG'] !== undefined) {
      const base = `/apis/apps/v1/namespaces/${testing.namespace}/deployments`;
      const written = (text: string) => (live: JsonObject | undefined) =>
        JSON.stringify(live ?? '').includes(text);
      await testing.admin.until(`${base}/app`, written('deployment.kubernetes.io/revision'));
      await testing.admin.until(`${base}/autoscaled`, written('"replicas":3'));
    }
    assert.deepEqual(await driftOnAll(kinds), []);
    for (const object of kinds) await bench.apply(object);
    assert.deepEqual(await driftOnAll(kinds), []);
  });
});

async function driftOnAll(objects: readonly KubeObject[]): Promise<string[]> {
  const found = [];
  for (const object of objects) {
    const drift = await driftOn(object);
    if (drift.length > 0) found.push(`${describeRef(refOf(object))}: ${drift.join('; ')}`);
  }
  return found;
}
