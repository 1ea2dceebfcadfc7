import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { objectsOf } from '../../../core/render/objects.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { clusterClient } from '../../cluster/cluster-client.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { SweepWorld } from '../sweep/sweep-world.ts';
import { proveEdits } from './edit-proof.ts';
import { workbench } from './workbench.ts';

const corpora = process.env['TRUEUP_CORPORA'];
const skip = corpora === undefined && 'TRUEUP_CORPORA is not set';
const seed = 20261123;
const mostEdits = 400;

async function objectsIn(folder: string): Promise<readonly KubeObject[]> {
  const files = globSync('**/*.{yaml,yml}', { cwd: folder })
    .filter((file) => !file.includes('kustomization'))
    .toSorted();
  const read = await Promise.all(
    files.map(async (file) => readYaml(file, await readFile(join(folder, file), 'utf8'))),
  );
  return read.flat().flatMap((document) => objectsOf(document).objects.map(({ object }) => object));
}

describe('manifests that others wrote', () => {
  // A control plane of its own: definitions and cluster roles have no namespace to keep them apart.
  for (const folder of ['kube-prometheus', 'argocd-crds', 'podinfo/kustomize']) {
    it(`${folder}: 20 sweeps find nothing, edits by hand are all found`, { skip }, async (context) => {
      const plane = await startControlPlane({ name: 'corpora' });
      const admin = await clusterClient(plane.kubeconfig);
      try {
        const bench = await workbench(plane.kubeconfig);
        const world = new SweepWorld(bench.cluster);
        const objects = await objectsIn(join(corpora ?? '', folder));
        await admin.create('/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'web' },
        });
        const pointer = await world.deploy('corpus', objects);
        const applied = (await world.resolve(pointer)).map(({ object }) => object);
        const requests = bench.requests();
        const started = performance.now();
        for (let sweep = 0; sweep < 20; sweep += 1) {
          const check = await world.sweep('corpus');
          assert.deepEqual([check?.sync, check?.reason], ['Synced', '']);
        }
        assert.deepEqual(await world.records(), []);
        const [seconds, asked] = [(performance.now() - started) / 20_000, (bench.requests() - requests) / 20];
        context.diagnostic(
          `${applied.length} objects: ${asked} requests and ${seconds.toFixed(2)} s for a clean exact check`,
        );
        const edits = Math.min(mostEdits, 10 * applied.length);
        const proof = await proveEdits(bench, admin, applied, { edits, seed });
        context.diagnostic(
          `${proof.edits} edits made, ${proof.found} found; ${proof.refused} were refused by the server`,
        );
        assert.deepEqual(proof.missed, []);
        assert.equal((await world.sweep('corpus'))?.drifted, 0);
      } finally {
        await admin.close();
        await plane.stop();
      }
    });
  }
});
