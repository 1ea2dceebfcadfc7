import assert from 'node:assert/strict';
import { parseStackConfig, type StackConfig } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { imageMemorySchema, type ImageMemory } from '../../core/model/image-memory.ts';
import { updateImages, type ImagesOutcome, type UpdateImagesDeps } from '../../core/update-images.ts';
import { MemoryRegistries } from '../fakes/memory-registries.ts';
import { MemoryRepository } from '../fakes/memory-repository.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

/** An Application that follows an image of its name. */
export const application = (name: string, more = '') => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}}
  clusters: {names: [prod]}
  namespace: ${name}
  images:
    - {image: ghcr.io/acme/${name}, policy: {semver: {range: 1.x}}${more}}
`;
export const kustomization = (name: string, tag: string) =>
  `images:\n  - name: ghcr.io/acme/${name}\n    newTag: ${tag}\n`;
export const [shop, web] = ['apps/shop/kustomization.yaml', 'apps/web/kustomization.yaml'];
/** The one branch of an installation that groups by repository. */
export const all = 'trueup/images/default/config/all';

/** A repository with two applications, whose images are proposed, all in memory. */
export class ProposingWorld {
  readonly git = new MemoryRepository();
  readonly host = new MemoryGitHost();
  readonly registries = new MemoryRegistries();
  readonly deps: UpdateImagesDeps;
  now = 0;

  constructor(group: 'repository' | 'application', labels: readonly string[] = []) {
    const { git, host, registries } = this;
    host.headOf = (branch) => git.branches.get(branch) ?? '';
    git.edit('main', {
      'applications/shop.yaml': application('shop'),
      'applications/web.yaml': application('web'),
      [shop]: kustomization('shop', '1.0.0'),
      [web]: kustomization('web', '1.0.0'),
    });
    const images = { pullRequest: { group, labels: [...labels] } };
    this.deps = {
      store: new MemoryStore(),
      git,
      writer: git,
      host,
      registries,
      clock: {
        now: () => this.now,
        // Longer waits are those for registries, which answer at once.
        sleep: (ms) => (ms > 1000 ? new Promise(() => undefined) : Promise.resolve()),
      },
      config: parseStackConfig({
        repositories: [{ name: 'config', url: 'https://git.example/config.git', images }],
        clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
      }),
    };
  }

  /** Images such as `shop:1.1.0` are pushed; nothing may be wrong. */
  async push(...images: readonly string[]): Promise<ImagesOutcome | undefined> {
    const pushed = images.map((image) => {
      const [name = '', tag = ''] = image.split(':');
      return { repository: `ghcr.io/acme/${name}`, tag };
    });
    const [outcome] = await updateImages(pushed, this.deps);
    assert.deepEqual(outcome?.faults, []);
    return outcome;
  }

  /** The pull requests that are open. */
  async open(): Promise<readonly string[]> {
    const pulls = await this.host.openPullRequests(this.repository);
    return pulls.map(({ id, title, head }) => `${id} ${head.branch}: ${title}`);
  }

  get repository(): StackConfig['repositories'][number] {
    const [found] = this.deps.config.repositories;
    assert.ok(found !== undefined);
    return found;
  }

  async memory(): Promise<ImageMemory> {
    const stored = await this.deps.store.get(keys.images('config'));
    return imageMemorySchema.parse(JSON.parse(stored?.text ?? '{}'));
  }
}
