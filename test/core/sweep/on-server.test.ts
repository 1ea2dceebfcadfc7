import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { workbench, type Workbench } from '../drift/workbench.ts';
import { SweepWorld, configMap } from './sweep-world.ts';

/** What the fast check stands on, seen on a real API server. */

let testing: TestCluster;
let bench: Workbench;
/** Of this file alone: an object with the label of an application and in no inventory is extra. */
let name: string;

before(async () => {
  testing = await testCluster('memory');
  bench = await workbench(testing.kubeconfig);
  name = testing.namespace;
});
after(async () => testing.stop());

function here(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace: testing.namespace } };
}

function fourObjects(app: string): readonly KubeObject[] {
  const metadata = { name: app };
  const labels = { app };
  const pods = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } };
  const backend = { service: { name: app, port: { number: 80 } } };
  const paths = [{ path: '/', pathType: 'Prefix', backend }];
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 0, selector: { matchLabels: labels }, template: pods },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80 }] } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: { rules: [{ host: `${app}.example.org`, http: { paths } }] },
    },
  ].map(here);
}

interface Sent {
  readonly request: { readonly method: string; readonly path: string };
}

/** Requests that went out over HTTP while something ran, `METHOD path`. */
async function requestsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const sent: string[] = [];
  const note = (message: unknown): void => {
    const { request } = message as Sent;
    sent.push(`${request.method} ${request.path.replace(/\?.*/, '')}`);
  };
  subscribe('undici:request:create', note);
  try {
    await work();
  } finally {
    unsubscribe('undici:request:create', note);
  }
  return sent;
}

async function settle(world: SweepWorld<Workbench['cluster']>, application: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const check = await world.sweep(application);
    if (check?.sync === 'Synced' && (await requestsOf(async () => world.sweep(application))).length < 9)
      return;
    if (Date.now() > deadline) throw new Error(JSON.stringify(check));
  }
}

describe('the fast check on a real API server', () => {
  it('asks for lists alone, and less than twelve things in all', async () => {
    const world = new SweepWorld(bench.cluster);
    for (let index = 0; index < 6; index += 1)
      await world.deploy(`${name}-${index}`, fourObjects(`app-${index}`));
    await settle(world, `${name}-0`);
    const requests = await requestsOf(async () => world.sweepAll());
    assert.ok(requests.length <= 12, String(requests));
    assert.ok(
      requests.every((request) =>
        /^GET .*\/(deployments|services|serviceaccounts|ingresses)$|^GET \/(api|apis|version)$/.test(request),
      ),
      String(requests),
    );
    const { targets } = await world.sweepAll();
    assert.deepEqual(new Set(Object.values(targets).map(({ sync }) => sync)), new Set(['Synced']));
  });

  it('sees a replica count, a removed label, and an object that was deleted and made again', async () => {
    const world = new SweepWorld(bench.cluster);
    const web = `${name}-web`;
    const pointer = await world.deploy(web, fourObjects('web'), { drift: 'observe' });
    await settle(world, web);
    const applied = await world.resolve(pointer);
    const pathOf = async (kind: string) => {
      const found = applied.find(({ object }) => object.kind === kind);
      assert.ok(found !== undefined);
      return { path: await bench.pathOf(found.object), object: found.object };
    };
    const { path } = await pathOf('Deployment');
    await testing.admin.patch(path, { spec: { replicas: 1 } });
    assert.equal((await world.sweep(web))?.drifted, 1);
    await testing.admin.patch(path, { spec: { replicas: 0 } });
    const service = await pathOf('Service');
    await testing.admin.patch(service.path, { metadata: { labels: { 'trueup.dev/application': null } } });
    assert.equal(
      (await world.sweep(web))?.drifted,
      2,
      'the count is not ours any more, and the label is gone',
    );
    const account = await pathOf('ServiceAccount');
    await testing.admin.remove(account.path);
    await testing.admin.create(account.path.replace(/\/[^/]*$/, ''), account.object);
    const check = await world.sweep(web);
    assert.equal(check?.drifted, 3, 'somebody else made it');
  });

  it('trusts a custom kind by its generation where its definition tells status apart, until that is another one', async () => {
    const group = `${name}.example.org`;
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const version = { name: 'v1', served: true, storage: true, subresources: { status: {} } };
    const definition: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: {
        group,
        names: { kind: 'Thing', plural: 'things' },
        scope: 'Namespaced',
        versions: [{ ...version, schema: { openAPIV3Schema: schema } }],
      },
    };
    const definitionPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${group}`;
    const thing = here({
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { name: 'one' },
      spec: { size: 1 },
    });
    await testing.admin.apply(definitionPath, definition, 'kubectl');
    try {
      await testing.admin.until(definitionPath, (object) =>
        JSON.stringify(object?.['status'] ?? '').includes('Established'),
      );
      const path = await bench.pathOf(thing);
      const world = new SweepWorld(bench.cluster);
      await world.deploy(`${name}-things`, [thing]);
      await settle(world, `${name}-things`);
      await testing.admin.patch(`${path}/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      });
      const read = await requestsOf(async () => world.sweep(`${name}-things`));
      assert.deepEqual(
        read.filter((request) => request.endsWith('/things/one')),
        [`GET ${path}`],
      );
      const column = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }];
      await testing.admin.patch(definitionPath, {
        spec: {
          versions: [{ ...version, additionalPrinterColumns: column, schema: { openAPIV3Schema: schema } }],
        },
      });
      const compared = await requestsOf(async () => world.sweep(`${name}-things`));
      assert.deepEqual(compared.filter((request) => request.endsWith('/things/one')).toSorted(), [
        `GET ${path}`,
        `PATCH ${path}`,
      ]);
    } finally {
      await testing.admin.remove(definitionPath);
    }
  });

  it('beside runs that apply one commit after the other never calls anything drift', async () => {
    const world = new SweepWorld(bench.cluster);
    const busy = `${name}-busy`;
    await world.deploy(busy, [here(configMap('busy', { a: '0' }))], { drift: 'observe' });
    await settle(world, busy);
    const request = {
      version: 1,
      target: { cluster: 'east', application: busy },
      reason: 'push',
      requestedBy: 'test',
    } as const;
    const seen = new Set<string>();
    const runs = (async () => {
      for (let commit = 1; commit <= 10; commit += 1) {
        await world.push(busy, [here(configMap('busy', { a: String(commit) }))], { drift: 'observe' });
        await reconcile(request, world.deps);
      }
      return 'done';
    })();
    const sweepOnce = async () => {
      seen.add((await world.sweep(busy))?.sync ?? '');
      return Promise.race([runs, Promise.resolve('running')]);
    };
    while ((await sweepOnce()) === 'running');
    assert.deepEqual(await world.records(), []);
    assert.ok(!seen.has('Drifted'), [...seen].join());
    const check = await sweepCluster({ cluster: 'east', requestedBy: 'test', full: true }, world.deps);
    assert.equal(check.targets[busy]?.sync, 'Synced');
  });
});
