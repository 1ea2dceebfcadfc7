import { sha256, type Member, archiveOf } from '../charts/archive.ts';
import { TestServer } from '../charts/chart-server.ts';

export const fluxLayer = 'application/vnd.cncf.flux.content.v1.tar+gzip';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/** What one push gives, sound or not. */
export interface Pushed {
  readonly archive: Buffer;
  readonly layerType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** In place of the one with the archive. */
  readonly layers?: readonly Layer[];
}

export interface Layer {
  readonly mediaType: string;
  readonly content: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An OCI registry over HTTP on loopback, with one repository whose tags a test moves. */
export class ArtifactRegistry implements AsyncDisposable {
  readonly server: TestServer;
  readonly name: string;
  readonly #tags = new Set<string>();

  private constructor(server: TestServer, name: string) {
    this.server = server;
    this.name = name;
    server.routes.set(`/v2/${name}/tags/list`, () => [200, JSON.stringify({ tags: [...this.#tags] })]);
  }

  static async start(name = 'acme/fleet'): Promise<ArtifactRegistry> {
    return new ArtifactRegistry(await TestServer.start(), name);
  }

  get url(): string {
    return `oci://${this.server.host}/${this.name}`;
  }

  /** Puts an artifact there, under a tag where one is named. Gives the digest of its manifest. */
  push(tag: string | undefined, { archive, layerType = fluxLayer, annotations, layers }: Pushed): string {
    const all = layers ?? [{ mediaType: layerType, content: archive }];
    const config = { mediaType: 'application/vnd.cncf.flux.config.v1+json', content: Buffer.from('{}') };
    const described = [config, ...all].map(({ mediaType, content, annotations: own }: Layer) => {
      const digest = `sha256:${sha256(content)}`;
      this.server.serve(`/v2/${this.name}/blobs/${digest}`, 200, content);
      return { mediaType, digest, size: content.length, ...(own && { annotations: own }) };
    });
    const [first, ...rest] = described;
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: first,
      layers: rest,
      ...(annotations && { annotations }),
    });
    const digest = `sha256:${sha256(Buffer.from(manifest))}`;
    const headers = { 'content-type': manifestType, 'docker-content-digest': digest };
    for (const reference of [digest, ...(tag === undefined ? [] : [tag])]) {
      this.server.serve(`/v2/${this.name}/manifests/${reference}`, 200, manifest, headers);
    }
    if (tag !== undefined) this.#tags.add(tag);
    return digest;
  }

  /** An artifact of these files, as `flux push artifact` writes one. */
  pushFiles(tag: string | undefined, files: Readonly<Record<string, string>>, more: Partial<Pushed> = {}) {
    const members = Object.entries(files).map(([path, content]): Member => ({ path, content }));
    return this.push(tag, { archive: archiveOf(members), ...more });
  }

  remove(tag: string): void {
    this.#tags.delete(tag);
    this.server.routes.delete(`/v2/${this.name}/manifests/${tag}`);
  }

  /** Says that these artifacts refer to one: by the API for that, or by a tag where the registry has no such API. */
  refer(digest: string, referrers: readonly { digest: string; artifactType: string }[], by: 'api' | 'tag') {
    const index = JSON.stringify({
      schemaVersion: 2,
      manifests: referrers.map((one) => ({ mediaType: manifestType, size: 1, ...one })),
    });
    const place = by === 'api' ? `referrers/${digest}` : `manifests/${digest.replace(':', '-')}`;
    this.server.serve(`/v2/${this.name}/${place}`, 200, index, {
      'content-type': 'application/vnd.oci.image.index.v1+json',
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
