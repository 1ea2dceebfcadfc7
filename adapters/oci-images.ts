import * as z from 'zod';
import type { ImageSource } from '../core/contract/images.ts';
import { Stop } from '../core/errors.ts';
import type { ImageRegistries } from '../core/image-ports.ts';
import { imageFactsSchema, type ImageFacts } from '../core/model/image.ts';
import type { Clock } from '../core/ports.ts';
import { openRegistry, type HostCredentials } from './oci-access.ts';
import { isBelow, parseOci } from './oci-address.ts';
import type { OciImage, OciRepository } from './oci-registry.ts';

const maxConfigBytes = 4 * 1024 * 1024;
const factsKept = 500;
/** Between two questions to one host: a poll asks about many images. */
const pauseMs = 100;

const labelsSchema = z.record(z.string(), z.string()).nullish();
const configSchema = z.object({
  created: z.string().nullish(),
  config: z.object({ Labels: labelsSchema }).nullish(),
});

export interface OciImagesOptions extends HostCredentials {
  readonly sources: () => Promise<readonly ImageSource[]>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** Images in OCI registries: their tags, and what the labels of one say of its build. */
export class OciImages implements ImageRegistries {
  readonly #options: OciImagesOptions;
  /** By repository and digest, which what it tells never changes of. */
  readonly #known = new Map<string, ImageFacts>();
  readonly #nextAt = new Map<string, number>();

  constructor(options: OciImagesOptions) {
    this.#options = options;
  }

  async facts(repository: string, reference: string): Promise<ImageFacts | undefined> {
    const known = this.#known.get(`${repository}@${reference}`);
    if (known !== undefined) return known;
    const registry = await this.#open(repository);
    const image = await registry?.image(reference);
    if (registry === undefined || image === undefined) return undefined;
    const facts = await factsOf(registry, image);
    if (this.#known.size >= factsKept) this.#known.clear();
    this.#known.set(`${repository}@${facts.digest}`, facts);
    return facts;
  }

  async tags(repository: string): Promise<readonly string[] | undefined> {
    return (await this.#open(repository))?.tags();
  }

  /** Undefined where no source declares it: nobody is asked whom an application alone names. */
  async #open(repository: string): Promise<OciRepository | undefined> {
    const named = `oci://${withHost(repository)}`;
    const address = parseOci(named);
    const sources = await this.#options.sources();
    const source = sources.find(({ url }) => named === url || isBelow(address, url));
    if (source === undefined) return undefined;
    await this.#pause(address.host);
    const subject = `registry ${source.url}`;
    // Docker Hub answers under another name than images have.
    const host = address.host === 'docker.io' ? 'registry-1.docker.io' : address.host;
    const declared = { ...source, url: `oci://${host}` };
    return openRegistry({ host, name: address.name }, declared, this.#options, subject);
  }

  async #pause(host: string): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    const at = Math.max(now, this.#nextAt.get(host) ?? 0);
    this.#nextAt.set(host, at + pauseMs);
    if (at > now) await clock.sleep(at - now);
  }
}

/** `nginx` is `docker.io/library/nginx`. */
function withHost(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost'))
    return repository.replace(/^(?:index\.|registry-1\.)docker\.io\//, 'docker.io/');
  return rest.length === 0 ? `docker.io/library/${repository}` : `docker.io/${repository}`;
}

/** Of several platforms any tells of the build: they are made of one commit. */
async function factsOf(registry: OciRepository, image: OciImage): Promise<ImageFacts> {
  const { digest, annotations } = image;
  const one =
    image.config === undefined || image.config === null ? await onePlatform(registry, image) : image;
  const config = one?.config;
  const parsed =
    config === undefined || config === null
      ? undefined
      : configSchema.safeParse(jsonOf(await registry.blob(config, maxConfigBytes))).data;
  const words = { ...annotations, ...one?.annotations, ...parsed?.config?.Labels };
  const word = (name: string): string | undefined => words[`org.opencontainers.image.${name}`];
  const created = sane(parsed?.created) ?? sane(word('created'));
  return imageFactsSchema.parse({
    digest,
    ...(created !== undefined && { created }),
    source: word('source')?.replace(/\.git$/, ''),
    revision: word('revision'),
  });
}

async function onePlatform(registry: OciRepository, { manifests }: OciImage): Promise<OciImage | undefined> {
  const real = (manifests ?? []).filter(({ platform }) => platform?.os !== 'unknown');
  const found =
    real.find(({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64') ?? real[0];
  return found === undefined ? undefined : registry.image(found.digest);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new Stop({ subject: 'config of an image', message: 'is no JSON', cause });
  }
}

/** Reproducible builds say that they are of 1970 or 1980. */
function sane(created: string | null | undefined): string | undefined {
  const at = new Date(created ?? '');
  return Number.isNaN(at.getTime()) || at.getUTCFullYear() < 2000 ? undefined : at.toISOString();
}
