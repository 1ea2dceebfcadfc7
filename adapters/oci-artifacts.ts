import type { RepositoryConfig } from '../core/contract/config.ts';
import { resolveTracked, trackedRef, type ResolvedRef } from '../core/contract/tracked-ref.ts';
import { Blocked, Stop } from '../core/errors.ts';
import { commitSchema, type Commit, type Signature } from '../core/model/commit.ts';
import type { Git, Secrets, Worktree } from '../core/ports.ts';
import { artifactWorktree } from './artifact-worktree.ts';
import { ecrRegion, type EcrCredentials } from './ecr-credentials.ts';
import { openRegistry } from './oci-access.ts';
import { parseOci } from './oci-address.ts';
import type { OciDescriptor, OciManifest, OciRepository } from './oci-registry.ts';

const maxLayerBytes = 64 * 1024 * 1024;
const helmLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const resolvedKept = 1000;
/** Of annotations, which whoever pushes writes as they like. */
const maxWords = 200;

export interface OciArtifactsOptions {
  readonly secrets: Secrets;
  readonly ecr: Pick<EcrCredentials, 'basic' | 'forget'>;
}

/**
 * Artifacts of OCI registries as repositories (issue 5): the digest of the manifest is the revision, and the one layer
 * with an archive is the tree. Flux, Argo CD and ORAS push such artifacts.
 */
export class OciArtifacts implements Git {
  readonly #options: OciArtifactsOptions;
  /** Under which tag a digest was found, so that a checkout can tell it. */
  readonly #resolved = new Map<string, string>();

  constructor(options: OciArtifactsOptions) {
    this.#options = options;
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    return (await this.heads([repository])).get(repository.name)?.sha;
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const heads = new Map<string, ResolvedRef>();
    for (const repository of repositories) {
      const found = await this.#with(repository, (registry) => resolve(repository, registry));
      if (found === undefined) continue;
      heads.set(repository.name, found);
      if (this.#resolved.size >= resolvedKept) this.#resolved.clear();
      this.#resolved.set(`${repository.name} ${found.sha}`, found.ref);
    }
    return heads;
  }

  checkout(repository: RepositoryConfig, sha: string): Promise<Worktree | undefined> {
    return this.#with(repository, async (registry) => {
      const digest = `sha256:${sha}`;
      const manifest = await registry.find(digest);
      if (manifest === undefined) return undefined;
      const subject = `artifact ${sha.slice(0, 7)} of repository ${repository.name}`;
      const signature = await this.#signatureOf(repository, { digest, subject }, registry);
      const layer = layerOf(manifest, subject);
      const archive = await registry.blob(layer, maxLayerBytes);
      const ref = this.#resolved.get(`${repository.name} ${sha}`) ?? trackedRef(repository);
      const commit = commitOf(manifest, { repository: repository.name, ref, sha }, signature);
      return artifactWorktree(archive, commit, subject);
    });
  }

  async #signatureOf(
    repository: RepositoryConfig,
    artifact: { readonly digest: string; readonly subject: string },
    registry: OciRepository,
  ): Promise<Signature | undefined> {
    if (repository.verify?.cosign === undefined) return undefined;
    // Libraries of half a megabyte, which most installations never need.
    const { checkCosign } = await import('./cosign-signature.ts');
    return checkCosign({ repository, ...artifact }, registry, this.#options.secrets);
  }

  async #with<T>(repository: RepositoryConfig, work: (registry: OciRepository) => Promise<T>): Promise<T> {
    const address = parseOci(repository.url);
    const declared = { hosts: [], internal: false, ...repository.registry, url: repository.url };
    try {
      return await work(
        await openRegistry(address, declared, this.#options, `repository ${repository.name}`),
      );
    } catch (error) {
      const region = ecrRegion(address.host);
      // A token that was revoked before its time: the next try is made with another.
      if (error instanceof Blocked && region !== undefined) this.#options.ecr.forget(region);
      throw error;
    }
  }
}

async function resolve(
  repository: RepositoryConfig,
  registry: OciRepository,
): Promise<ResolvedRef | undefined> {
  const { digest, semver, tag } = repository;
  let [reference, ref] = [digest ?? tag, trackedRef(repository)];
  if (semver !== undefined) {
    const tags = new Map((await registry.tags()).map((one) => [`refs/tags/${one}`, one]));
    const found = resolveTracked(repository, tags);
    if (found === undefined) return undefined;
    [reference, ref] = [found.sha, found.ref];
  }
  const manifest = reference === undefined ? undefined : await registry.find(reference);
  return manifest === undefined ? undefined : { sha: manifest.digest.slice('sha256:'.length), ref };
}

/** The one archive of an artifact. Throws Stop for artifacts that are something else. */
function layerOf({ layers }: OciManifest, subject: string): OciDescriptor {
  const [layer, ...more] = layers;
  const refuse = (message: string): Stop => new Stop({ subject, message });
  if (layer === undefined || more.length > 0) {
    const what = 'an artifact of manifests has one, a .tar.gz of them; is this a container image?';
    throw refuse(`has ${layers.length} layers; ${what}`);
  }
  const { mediaType } = layer;
  if (mediaType === helmLayer) {
    throw refuse('is a Helm chart; name it under `source.chart` of an Application instead');
  }
  if (mediaType.endsWith('.tar+gzip')) return layer;
  const advice = 'push a folder with `flux push artifact` or `oras push`';
  throw refuse(`has a layer of the type ${mediaType.slice(0, maxWords)} and not of a .tar+gzip; ${advice}`);
}

/** As the annotations tell it that Flux and ORAS write; who pushed it, a registry does not say. */
function commitOf(
  { annotations }: OciManifest,
  place: Pick<Commit, 'repository' | 'ref' | 'sha'>,
  signature: Signature | undefined,
): Commit {
  const word = (name: string): string =>
    (annotations?.[`org.opencontainers.image.${name}`] ?? '').replaceAll(/\p{Cc}/gu, ' ').slice(0, maxWords);
  const created = new Date(word('created'));
  const at = Number.isNaN(created.getTime()) ? '1970-01-01T00:00:00Z' : created.toISOString();
  const person = { name: word('authors') || 'unknown', email: '', at };
  const subject =
    [word('revision'), word('source')].filter(Boolean).join(' of ') ||
    `artifact ${place.ref.replace('refs/tags/', '')}`;
  const facts = { ...place, author: person, committer: person, subject };
  return commitSchema.parse(signature === undefined ? facts : { ...facts, signature });
}
