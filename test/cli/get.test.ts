import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { events } from '../../cli/events.ts';
import { get } from '../../cli/get.ts';
import { render } from '../../cli/report.ts';
import type { ApiDeps } from '../../core/api/deps.ts';
import { everywhere } from '../../core/api/person.ts';
import type { LiveCluster, LiveClusters } from '../../core/live-ports.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import type { JsonObject } from '../../core/model/json.ts';
import type { LiveObject } from '../../core/model/object.ts';
import { FleetBook } from '../../core/view/fleet-book.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld, putRun } from './cli-world.ts';

function liveOf(name: string, data: JsonObject): LiveObject {
  const managedFields = [{ manager: 'kubectl' }];
  const metadata = { name, namespace: 'web', uid: 'u', resourceVersion: '1', managedFields };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

async function newWorld() {
  const { world, session } = cliWorld();
  await world.deploy('web', [
    configMap('front'),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { password: 'hunter2' } },
  ]);
  await world.sweepAll();
  const there = new Map<string, LiveObject>();
  const live: LiveClusters = {
    reaches: (cluster) => cluster === 'east',
    connect: async (): Promise<LiveCluster> => ({
      resources: async () => world.cluster.resources(),
      get: async ({ name }) => there.get(name),
      list: async () => ({
        resourceVersion: '1',
        items: [
          kubernetesEvent('ConfigMap', 'front', 'Noticed'),
          kubernetesEvent('Pod', 'other-1', 'Pulled'),
        ],
      }),
      events: async () => [],
      logs: async () => undefined,
    }),
  };
  const { store, clock, ids, bus, queues } = session;
  const config = parseStackConfig({
    repositories: [{ name: 'config', url: 'https://git.example.com/config' }],
    clusters: [{ name: 'east', access: { type: 'kubeconfig', secret: 'none' } }],
  });
  const book = new FleetBook(store);
  const deps: ApiDeps = { store, clock, ids, bus, queues, config, book, version: '0', installed: false };
  return { world, deps, live, there };

  function kubernetesEvent(kind: string, name: string, reason: string) {
    const at = new Date(session.clock.now()).toISOString();
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.1`, namespace: 'web', uid: 'u', resourceVersion: '1' },
      involvedObject: { kind, name, namespace: 'web' },
      type: 'Warning',
      reason,
      message: 'it was',
      count: 3,
      lastTimestamp: at,
    };
  }
}

describe('trueup get', () => {
  test('lists objects of an application in every format, values of Secrets never', async () => {
    const { deps } = await newWorld();
    const report = await get(deps, [], { app: 'web' });
    const table = stripVTControlCharacters(await render(report, 'table'));
    assert.match(
      table,
      /^CLUSTER +OBJECT +STATE +HEALTH +DRIFT\neast +ConfigMap web\/front +applied +Unknown +-/,
    );
    assert.match(await render(report, 'wide'), /FILE +MESSAGE/);
    assert.equal(await render(report, 'name'), 'ConfigMap/web/front\nSecret/web/key\n');
    const yaml = await render(report, 'yaml');
    assert.match(yaml, /^apiVersion: v1\n.*name: front.*\n---\n.*kind: Secret/s);
    for (const format of ['json', 'yaml', 'wide'] as const)
      assert.doesNotMatch(await render(report, format), /hunter2/);
  });

  test('of one object, by the name that it prints itself', async () => {
    const { deps } = await newWorld();
    const { names } = await get(deps, ['configmap/web/front'], { app: 'web' });
    assert.deepEqual(names, ['ConfigMap/web/front']);
    await assert.rejects(
      get(deps, ['Deployment/none'], { app: 'web' }),
      /`trueup get --app web -o name` lists/,
    );
    await assert.rejects(get(deps, ['front'], { app: 'web' }), /say KIND\/NAME/);
  });

  test('--live shows what the cluster has, and says how to reach one that it cannot', async () => {
    const { deps, live, there } = await newWorld();
    there.set('front', liveOf('front', { a: 'by hand' }));
    const report = await get({ ...deps, live }, [], { app: 'web', live: true });
    const yaml = await render(report, 'yaml');
    assert.match(yaml, /by hand/);
    assert.doesNotMatch(yaml, /hunter2|managedFields/);
    there.clear();
    const gone = await get({ ...deps, live }, ['ConfigMap/front'], { app: 'web', live: true });
    assert.match(stripVTControlCharacters(gone.text), /front +applied +Missing/);
    await assert.rejects(get(deps, [], { app: 'web', live: true }), /--cluster east --context NAME/);
  });
});

describe('trueup events', () => {
  test('are the records of trueup and those of Kubernetes in one list, newest first', async () => {
    const { deps, live, world } = await newWorld();
    await putRun(world);
    const person = everywhere('alice', 'viewer');
    const own = await events(deps, person, { app: 'web', since: 3600 });
    assert.match(stripVTControlCharacters(own.text), /trueup +run +east\/web +push: applied/);
    assert.doesNotMatch(own.text, /kubernetes/);
    const both = await events({ ...deps, live }, person, { app: 'web', since: 3600 });
    assert.match(
      stripVTControlCharacters(both.text),
      /\(x3\) +east +kubernetes +Warning +ConfigMap\/front +Noticed: it was/,
    );
    assert.doesNotMatch(both.text, /other-1/);
    assert.ok(both.names?.includes('ConfigMap/front'));
  });
});
