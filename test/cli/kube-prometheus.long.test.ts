import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import { groupOf, refKey, refOf, type LiveObject } from '../../core/model/object.ts';
import { valueAt } from '../../core/field-set.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import { jsonEqual } from '../../core/model/json.ts';
import { pick, randomEdit, seeded, type FieldEdit } from '../core/drift/field-edits.ts';
import { clusterClient, type ClusterClient } from '../cluster/cluster-client.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { LocalWorld } from './local-world.ts';

/** The monitoring stack that many run, by the program alone: definitions together with their instances (issue 4). */

const corpora = process.env['TRUEUP_CORPORA'];
const skip = corpora === undefined && 'TRUEUP_CORPORA is not set';
const edits = 200;
const checks = 20;
const seed = 20261123;
/** Edits at once: each of another object, so that every episode tells one of them. */
const atOnce = 50;

const appliedShape = z.object({
  run: z.object({
    outcome: z.object({
      kind: z.string(),
      message: z.string(),
      counts: z.object({ created: z.number(), failed: z.number() }),
    }),
  }),
});

const driftShape = z.object({
  open: z.array(
    z.object({
      drift: z.object({
        ref: z.object({
          group: z.string(),
          kind: z.string(),
          namespace: z.string().optional(),
          name: z.string(),
        }),
        fields: z.array(z.object({ path: z.string(), class: z.string() })),
      }),
    }),
  ),
});

describe('kube-prometheus in one command', { skip }, () => {
  let plane: ControlPlane;
  let admin: ClusterClient;
  let world: LocalWorld;
  before(async () => {
    // Of its own: definitions and cluster roles have no namespace to keep them apart.
    plane = await startControlPlane({
      name: 'kube-prometheus',
      users: [{ name: 'somebody', groups: ['system:masters'] }],
    });
    admin = await clusterClient(plane.kubeconfig);
    world = await LocalWorld.open(plane.kubeconfigPath);
  });
  after(async () => {
    await world.close();
    await admin.close();
    await plane.stop();
  });

  /** Every object of the inventory, with where it is. Controllers copy our label to what they make: that is not ours. */
  async function ours(): Promise<ReadonlyMap<string, { readonly path: string; readonly live: LiveObject }>> {
    const found = new Map<string, { readonly path: string; readonly live: LiveObject }>();
    const [file = ''] = globSync('state/inventory/*/kp.json', { cwd: world.folder });
    const inventory = inventorySchema.parse(JSON.parse(await readFile(join(world.folder, file), 'utf8')));
    for (const { plural, apiVersion, kind } of await servedKinds(admin)) {
      const root = groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
      const { status, body } = await admin.ask(
        'GET',
        `${root}/${plural}?labelSelector=trueup.dev/application`,
      );
      if (status !== 200) continue;
      for (const item of listShape.parse(body).items) {
        const live = { ...item, apiVersion, kind } as LiveObject;
        const { namespace, name } = live.metadata;
        const home = namespace === undefined ? '' : `/namespaces/${namespace}`;
        const key = refKey(refOf(live));
        if (key in inventory.entries) found.set(key, { path: `${root}${home}/${plural}/${name}`, live });
      }
    }
    return found;
  }

  it('applies all of it in one go', async (context) => {
    const started = performance.now();
    const { run } = await world.json(
      ['apply', join(corpora ?? '', 'kube-prometheus'), '--app', 'kp'],
      appliedShape,
    );
    assert.deepEqual([run.outcome.kind, run.outcome.counts.failed], ['applied', 0], run.outcome.message);
    context.diagnostic(
      `${run.outcome.counts.created} objects in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    assert.ok(run.outcome.counts.created >= 131);
  });

  it('says what a wait is for, where nobody brings its operator', async (context) => {
    const folder = join(corpora ?? '', 'kube-prometheus');
    const { code, out, err } = await world.run([
      'apply',
      folder,
      '--app',
      'kp',
      '--wait',
      '--timeout',
      '45s',
    ]);
    context.diagnostic(`${err}${out}`);
    assert.equal(code, 1, err);
    for (const kind of ['Prometheus', 'Alertmanager']) {
      assert.match(err, new RegExp(`waits for ${kind}\\.monitoring\\.coreos\\.com monitoring/`));
      assert.match(out, new RegExp(`Progressing +${kind}\\.monitoring\\.coreos\\.com monitoring/`));
    }
  });

  it(`is clean on ${checks} checks in a row`, async () => {
    for (let check = 0; check < checks; check += 1) {
      const { code, out, err } = await world.run([
        'drift',
        '--app',
        'kp',
        ...(check % 4 === 3 ? ['--full'] : []),
      ]);
      assert.equal(code, 0, out + err);
    }
  });

  it(`finds ${edits} edits of single fields at their path, heals them, and touches nothing else`, async (context) => {
    const random = seeded(seed);
    let [made, refused] = [0, 0];
    const missed: string[] = [];
    while (made < edits) {
      const objects = await ours();
      const versions = new Map([...objects].map(([key, { live }]) => [key, live.metadata.resourceVersion]));
      const edited = new Map<string, FieldEdit>();
      while (edited.size < Math.min(atOnce, edits - made)) {
        const [key, found] = pick([...objects], random) ?? [];
        if (key === undefined || found === undefined || edited.has(key)) continue;
        const edit = randomEdit(found.live, random);
        if (edit === undefined) continue;
        const answer = await admin.ask('PATCH', `${found.path}?fieldManager=somebody`, {
          body: edit.patch,
          contentType: 'application/json-patch+json',
        });
        if (answer.status !== 200 || jsonEqual(valueAt(answer.body, edit.path), edit.before)) refused += 1;
        else edited.set(key, edit);
        assert.ok(refused < edits * 20, `${refused} edits were refused`);
      }
      const { open } = await world.json(['drift', '--app', 'kp'], driftShape);
      const paths = new Map(
        open.map(({ drift }) => [refKey(drift.ref), drift.fields.map(({ path }) => path)]),
      );
      for (const [key, edit] of edited) {
        const isFound = paths.get(key)?.some((path) => path.startsWith(edit.name)) === true;
        if (!isFound) missed.push(`${key} ${edit.name}: ${JSON.stringify(paths.get(key))}`);
      }
      assert.deepEqual(
        [...paths.keys()].filter((key) => !edited.has(key)),
        [],
        'drift where nobody edited',
      );
      const healed = await world.run(['drift', '--app', 'kp', '--heal']);
      assert.equal(healed.code, 0, healed.out + healed.err);
      const healthy = await ours();
      for (const [key, edit] of edited) {
        const live = healthy.get(key)?.live;
        assert.ok(
          live !== undefined && jsonEqual(valueAt(live, edit.path), edit.before),
          `${key} ${edit.name}`,
        );
      }
      const touched = [...healthy].filter(
        ([key, { live }]) =>
          !edited.has(key) && live.metadata.resourceVersion !== versions.get(key) && !isLively(key),
      );
      assert.deepEqual(
        touched.map(([key]) => key),
        [],
      );
      made += edited.size;
    }
    context.diagnostic(
      `${made} edits made, ${made - missed.length} found; ${refused} were refused by the server`,
    );
    assert.deepEqual(missed, []);
  });
});

const listShape = z.object({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })),
});

/** Their controllers write status into these all the time. */
function isLively(key: string): boolean {
  return /^(apps\/(Deployment|DaemonSet|StatefulSet)|apiregistration\.k8s\.io\/APIService|policy\/PodDisruptionBudget|apiextensions\.k8s\.io)/.test(
    key,
  );
}

const resourcesShape = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), verbs: z.array(z.string()) })),
});

/** Kinds that can be listed, at the version that the server prefers. */
async function servedKinds(client: ClusterClient) {
  const groups = z
    .object({ groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })) })
    .parse((await client.ask('GET', '/apis')).body).groups;
  const versions = ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion)];
  const kinds: { readonly plural: string; readonly kind: string; readonly apiVersion: string }[] = [];
  for (const apiVersion of versions.filter((version) => !version.startsWith('metrics.k8s.io'))) {
    const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const { status, body } = await client.ask('GET', root);
    if (status !== 200) continue;
    for (const { name, kind, verbs } of resourcesShape.parse(body).resources) {
      if (verbs.includes('list') && verbs.includes('patch') && !name.includes('/'))
        kinds.push({ plural: name, kind, apiVersion });
    }
  }
  return kinds.filter(({ apiVersion }) => apiVersion !== 'events.k8s.io/v1');
}
