import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openLocalSource } from '../../../adapters/local-worktree.ts';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import { annotations } from '../../../core/contract/kubernetes.ts';
import { helmSchema } from '../../../core/model/helm.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { render } from '../../../core/render/render.ts';
import { placedObjects, readManifests } from '../../../core/render/manifests.ts';
import { canonicalObjects } from '../../../core/snapshot.ts';
import { findTools, toolFolders } from '../../cluster/tools.ts';
import { renderContext } from '../../fakes/render-context.ts';

const corpora = process.env['TRUEUP_CORPORA'];
const skip = corpora === undefined ? 'TRUEUP_CORPORA names no folder of corpora' : false;
const root = join(corpora ?? '', 'podinfo');
const run = promisify(execFile);
const tools = await findTools({ progress: () => undefined });
const renderers = await LocalRenderers.find(toolFolders(tools).join(':'));

interface Case {
  readonly why: string;
  readonly path: string;
  readonly valueFiles?: readonly string[];
  readonly objects: number;
}

const charts: readonly Case[] = [
  { why: 'default values', path: 'charts/podinfo', objects: 2 },
  { why: 'production values', path: 'charts/podinfo', valueFiles: ['values-prod.yaml'], objects: 6 },
];
const overlays: readonly Case[] = [
  'kustomize',
  'deploy/overlays/dev',
  'deploy/overlays/staging',
  'deploy/overlays/production',
].map((path) => ({ why: path, path, objects: path === 'kustomize' ? 3 : 25 }));

async function ours({ path, valueFiles = [] }: Case): Promise<readonly KubeObject[]> {
  const person = { name: 'ada', host: 'desk' };
  const opened = await openLocalSource(path, { from: root, person, now: Date.now() });
  const helm = helmSchema.parse({ valueFiles, releaseName: 'podinfo' });
  const source = { path: opened.path, renderer: 'auto' as const, helm };
  const context = renderContext(opened.worktree, renderers, { namespace: 'web' });
  const { objects } = await render(source, context);
  return canonicalObjects(objects);
}

async function theirs(program: string, args: readonly string[]): Promise<readonly KubeObject[]> {
  const { stdout } = await run(program, [...args], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  return canonicalObjects(placedObjects('.', readManifests('printed', stdout)).objects);
}

/** What we add to a hook beside Helm's own annotations. */
function withoutOurs(object: KubeObject): KubeObject {
  const { annotations: own, ...metadata } = object.metadata;
  if (own === undefined) return object;
  const added: readonly string[] = [
    annotations.hook,
    annotations.hookDelete,
    annotations.wave,
    annotations.prune,
  ];
  const kept = Object.fromEntries(Object.entries(own).filter(([name]) => !added.includes(name)));
  return { ...object, metadata: { ...metadata, annotations: kept } };
}

for (const each of charts) {
  test(`the chart of podinfo with ${each.why} is what helm prints`, { skip }, async () => {
    const files = (each.valueFiles ?? []).map((file) => `--values=${each.path}/${file}`);
    const args = [
      'template',
      'podinfo',
      each.path,
      '--namespace=web',
      '--include-crds',
      '--skip-tests',
      ...files,
    ];
    const rendered = await ours(each);
    assert.deepEqual(rendered.map(withoutOurs), await theirs(tools.helm, args));
    assert.equal(rendered.length, each.objects);
  });
}

for (const each of overlays) {
  test(`podinfo's ${each.why} is what kubectl kustomize prints`, { skip }, async () => {
    const rendered = await ours(each);
    assert.deepEqual(rendered, await theirs(tools.kubectl, ['kustomize', each.path]));
    assert.equal(rendered.length, each.objects);
  });
}
