import type { ChartSource } from '../core/contract/chart-sources.ts';
import { Blocked, Retry, Stop } from '../core/errors.ts';
import { isExactVersion, type ChartReference } from '../core/model/helm.ts';
import type { ChartFiles, ChartIndex, Charts, Clock, FetchedChart, NewestChart } from '../core/ports.ts';
import { unpackChart } from './chart-archive.ts';
import { pickVersion } from './chart-version.ts';
import { HelmIndexes, fetchArchive, type RepositoryAccess } from './helm-repository.ts';
import { basicOf, openRegistry, reachOf, type HostCredentials } from './oci-access.ts';
import { isBelow, parseOci } from './oci-address.ts';

const maxLayerBytes = 32 * 1024 * 1024;
const layerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const keptCharts = 20;

export interface ChartRegistryOptions extends HostCredentials {
  readonly sources: () => Promise<readonly ChartSource[]>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Of a chart, by its name. */
type VersionsOf = (name: string) => readonly string[];

/** Pauses before another try: a moment of trouble is not worth a fault. */
const pausesMs = [1_000, 3_000];

/** Helm repositories and OCI registries of the stack configuration. */
export class ChartRegistry implements Charts, ChartIndex {
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

  async newest(references: readonly ChartReference[]): Promise<readonly NewestChart[]> {
    const asked = new Map<string, Promise<VersionsOf>>();
    return Promise.all(
      references.map(async (reference) => {
        const place = 'oci' in reference ? reference.oci : reference.repository.replace(/\/+$/, '');
        const versions = asked.get(place) ?? this.#versionsAt(place);
        asked.set(place, versions);
        return newestOf(reference, versions);
      }),
    );
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
    const access = await this.#accessTo(url);
    const found = await this.#indexes.find(access, name, wanted);
    const { version, sha256 } = found;
    const files = await this.#once(`${url} ${name} ${sha256}`, async () =>
      unpackChart(await fetchArchive(access, found), `chart ${name} ${version} of ${url}`),
    );
    return { name, version, digest: `sha256:${sha256}`, files };
  }

  async #accessTo(url: string): Promise<RepositoryAccess> {
    const source = await this.#declared(url, (declared) => declared === url);
    return {
      url,
      reach: reachOf(source, `charts ${url}`),
      authorization: await basicOf(source, new URL(url).host, this.#options, `charts ${source.url}`),
      secret: source.secret,
    };
  }

  /** Names of charts to their versions, of one Helm repository or of one name in a registry. */
  async #versionsAt(place: string): Promise<VersionsOf> {
    if (!place.startsWith('oci://')) return this.#indexes.versions(await this.#accessTo(place));
    const repository = await this.#open(place);
    const versions = (await repository.tags()).map((tag) => tag.replaceAll('_', '+'));
    return () => versions;
  }

  async #open(oci: string) {
    const address = parseOci(oci);
    const source = await this.#declared(oci, (declared) => isBelow(address, declared));
    return openRegistry(address, source, this.#options, `charts ${oci}`);
  }

  async #fromRegistry({
    oci,
    version: wanted,
  }: Extract<ChartReference, { readonly oci: string }>): Promise<FetchedChart> {
    const { name } = parseOci(oci);
    const repository = await this.#open(oci);
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

async function newestOf(reference: ChartReference, versions: Promise<VersionsOf>): Promise<NewestChart> {
  const name = 'oci' in reference ? '' : reference.name;
  try {
    return { kind: 'version', version: pickVersion(reference.version, (await versions)(name), name) };
  } catch (error) {
    if (error instanceof Retry) return { kind: 'unknown' };
    if (error instanceof Stop || error instanceof Blocked) return { kind: 'none' };
    throw error;
  }
}
