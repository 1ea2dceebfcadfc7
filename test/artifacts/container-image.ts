import { randomBytes } from 'node:crypto';
import { sha256 } from '../charts/archive.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

interface Blob {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: Buffer;
}

/** What a build puts into its image; all of it may be left out. */
export interface Build {
  readonly created?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An image of one platform as a registry keeps it: a manifest, a config, and one layer of noise. */
export interface ContainerImage {
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
}

function blob(mediaType: string, content: Buffer): Blob {
  return { digest: `sha256:${sha256(content)}`, mediaType, content };
}

const describe = ({ digest, mediaType, content }: Blob) => ({ mediaType, digest, size: content.length });

export function containerImage({ created, labels }: Build = {}): ContainerImage {
  const layer = blob('application/vnd.oci.image.layer.v1.tar+gzip', randomBytes(64));
  const config = blob(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        ...(created !== undefined && { created }),
        config: { ...(labels !== undefined && { Labels: labels }) },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
      }),
    ),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describe(config),
    layers: [describe(layer)],
  };
  return { manifest: blob(manifestType, Buffer.from(JSON.stringify(manifest))), blobs: [config, layer] };
}

/** An index of images for several platforms, with an attestation beside them as BuildKit writes one. */
export function imageIndex(images: readonly ContainerImage[]): Blob {
  const platforms = [
    { os: 'unknown', architecture: 'unknown' },
    { os: 'linux', architecture: 'arm64' },
    { os: 'linux', architecture: 'amd64' },
  ];
  const manifests = images.map(({ manifest }, index) => ({
    ...describe(manifest),
    platform: platforms[index],
  }));
  return blob(indexType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })));
}

/** Pushes over the distribution API, as any client does. `registry`: `http://127.0.0.1:5000`. Gives the digest. */
export async function pushImage(
  registry: string,
  name: string,
  tag: string,
  { manifest, blobs }: ContainerImage,
): Promise<string> {
  for (const { digest, content } of blobs) {
    const begun = await fetch(`${registry}/v2/${name}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', registry);
    place.searchParams.set('digest', digest);
    await good(fetch(place, { method: 'PUT', body: new Uint8Array(content) }));
  }
  const headers = { 'content-type': manifest.mediaType };
  const body = new Uint8Array(manifest.content);
  await good(fetch(`${registry}/v2/${name}/manifests/${tag}`, { method: 'PUT', headers, body }));
  return manifest.digest;
}

async function good(asked: Promise<Response>): Promise<void> {
  const response = await asked;
  if (!response.ok) throw new Error(`the registry answered ${response.status}: ${await response.text()}`);
}
