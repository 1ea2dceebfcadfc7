import type { ChartSource } from '../core/contract/chart-sources.ts';
import { Blocked, Retry, Stop } from '../core/errors.ts';
import { isExactVersion, type ChartReference } from '../core/model/helm.ts';
import type { Charts, ChartFiles, Clock, FetchedChart, Secrets } from '../core/ports.ts';
import { unpackChart } from './chart-archive.ts';
import { pickVersion } from './chart-version.ts';
import { ecrRegion, type EcrCredentials } from './ecr-credentials.ts';
import type { Reach } from './guarded-fetch.ts';
import { HelmIndexes, fetchArchive, type RepositoryAccess } from './helm-repository.ts';
import { isBelow, parseOci } from './oci-address.ts';
import { OciRepository } from './oci-registry.ts';

const maxLayerBytes = 32 * 1024 * 1024;
const layerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const keptCharts = 20;

/** Where well-known registries keep their layers, and who gives out their tokens. */
const companions: Readonly<Record<string, readonly string[]>> = {
  'ghcr.io': ['pkg-containers.githubusercontent.com'],
  'registry-1.docker.io': [
    'auth.docker.io',
    'production.cloudflare.docker.com',
    'docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com',
  ],
  'quay.io': ['*.quay.io'],
  'public.ecr.aws': ['*.cloudfront.net'],
};

export interface ChartRegistryOptions {
  readonly sources: () => Promise<readonly ChartSource[]>;
  readonly secrets: Pick<Secrets, 'get'>;
  readonly ecr: Pick<EcrCredentials, 'basic'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Pauses before another try: a moment of trouble is not worth a fault. */
const pausesMs = [1_000, 3_000];

/** Helm repositories and OCI registries of the stack configuration. */
export class ChartRegistry implements Charts {
  readonly #options: ChartRegistryOptions;
  readonly #indexes = new HelmIndexes();
  /** By what was asked for and the digest that it led to: what is there under a digest never changes. */
  readonly #kept = new Map<string, ChartFiles>();

  constructor(options: ChartRegistryOptions) {
    this.#options = options;
  }

  unpack(archive: Uint8Array, subject: string): Promise<ChartFiles> {
    return unpackChart(archive, subject);
  }

  async fetch(reference: ChartReference): Promise<FetchedChart> {
    for (const pause of pausesMs) {
      try {
        return await this.#fetchOnce(reference);
      } catch (error) {
        if (!(error instanceof Retry) || (error.afterSeconds ?? 0) * 1000 > pause) throw error;
        await this.#options.clock.sleep(pause);
      }
    }
    return this.#fetchOnce(reference);
  }

  #fetchOnce(reference: ChartReference): Promise<FetchedChart> {
    return 'oci' in reference ? this.#fromRegistry(reference) : this.#fromRepository(reference);
  }

  async #fromRepository(
    reference: Extract<ChartReference, { readonly name: string }>,
  ): Promise<FetchedChart> {
    const { name, version: wanted } = reference;
    const url = reference.repository.replace(/\/+$/, '');
    const source = await this.#declared(url, (declared) => declared === url);
    const access: RepositoryAccess = {
      url,
      reach: reachOf(source, url),
      authorization: await this.#basicOf(source, new URL(url).host),
      secret: source.secret,
    };
    const found = await this.#indexes.find(access, name, wanted);
    const { version, sha256 } = found;
    const files = await this.#once(`${url} ${name} ${sha256}`, async () =>
      unpackChart(await fetchArchive(access, found), `chart ${name} ${version} of ${url}`),
    );
    return { name, version, digest: `sha256:${sha256}`, files };
  }

  async #fromRegistry({
    oci,
    version: wanted,
  }: Extract<ChartReference, { readonly oci: string }>): Promise<FetchedChart> {
    const address = parseOci(oci);
    const { host, name } = address;
    const source = await this.#declared(oci, (declared) => isBelow(address, declared));
    const isLoopback = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::|$)/.test(host);
    const repository = new OciRepository({
      origin: `${isLoopback ? 'http' : 'https'}://${host}`,
      name,
      reach: reachOf(source, oci),
      basic: await this.#basicOf(source, host),
      secret: source.secret,
    });
    const subject = `chart ${oci}`;
    // A tag has no plus sign: Helm writes an underscore.
    const tags = isExactVersion(wanted)
      ? [wanted]
      : (await repository.tags()).map((tag) => tag.replaceAll('_', '+'));
    const version = pickVersion(wanted, tags, subject);
    const { digest, layers } = await repository.manifest(version.replaceAll('+', '_'));
    const layer = layers.find(({ mediaType }) => mediaType === layerType);
    if (layer === undefined) throw new Stop({ subject, message: `is no Helm chart at ${version}` });
    const files = await this.#once(`${oci} ${digest}`, async () =>
      unpackChart(await repository.blob(layer, maxLayerBytes), `${subject} ${version}`),
    );
    return { name: name.split('/').at(-1) ?? name, version, digest, files };
  }

  /** Throws Stop for what the stack configuration does not name. */
  async #declared(url: string, isMeant: (declared: string) => boolean): Promise<ChartSource> {
    const source = (await this.#options.sources()).find((one) => isMeant(one.url));
    if (source !== undefined) return source;
    const message = 'is not declared; add it to sources.charts in the stack configuration and deploy';
    throw new Stop({ subject: `charts ${url}`, message });
  }

  async #basicOf({ secret, url }: ChartSource, host: string): Promise<string | undefined> {
    const region = ecrRegion(host);
    if (secret === undefined) return region === undefined ? undefined : this.#options.ecr.basic(region);
    const { current } = await this.#options.secrets.get(secret);
    if (current.includes(':')) return `Basic ${Buffer.from(current.trim()).toString('base64')}`;
    throw new Blocked({
      subject: `charts ${url}`,
      message: `want USER:PASSWORD in the secret ${secret}, and it has no colon`,
    });
  }

  async #once(key: string, fetch: () => Promise<ChartFiles>): Promise<ChartFiles> {
    const known = this.#kept.get(key);
    const files = known ?? (await fetch());
    this.#kept.delete(key);
    this.#kept.set(key, files);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptCharts) break;
      this.#kept.delete(oldest);
    }
    return files;
  }
}

function reachOf({ url, hosts, internal }: ChartSource, subject: string): Reach {
  const { host, hostname } = new URL(url.replace(/^oci:/, 'https:'));
  const region = ecrRegion(host);
  const layers =
    region === undefined ? [] : [`prod-${region}-starport-layer-bucket.s3.${region}.amazonaws.com`];
  const isLoopback = /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(hostname);
  return {
    subject: `charts ${subject}`,
    hosts: [host, ...hosts, ...(companions[host] ?? []), ...layers],
    internal: internal || isLoopback,
  };
}
