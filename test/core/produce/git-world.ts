import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HttpGit } from '../../../adapters/git.ts';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { findTools } from '../../cluster/tools.ts';
import { startGitServer, type GitServer } from '../../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../../git/worktree.ts';
import { ProduceWorld } from './world.ts';

const token = 'a-token-of-the-test';

/** A real Git host and the real kustomize, with everything else of the snapshot function in memory. */
export class GitWorld {
  readonly world = new ProduceWorld();
  readonly clone: string;
  readonly deps: ProduceDeps;
  readonly #rendered = new Set<string>();
  #head: string | undefined;

  private constructor(clone: string, deps: Pick<ProduceDeps, 'git' | 'renderers'>, config: StackConfigInput) {
    this.clone = clone;
    this.deps = { ...this.world.deps(config), ...deps };
    const { store } = this.world;
    const get = store.get.bind(store);
    // Whatever was rendered is looked for by its digest.
    store.get = async (key) => {
      const [folder, name = ''] = key.split('/');
      if (folder === 'snapshots') this.#rendered.add(name);
      return get(key);
    };
  }

  static async start(host: GitHost, name: string, config: Partial<StackConfigInput> = {}): Promise<GitWorld> {
    const clone = await host.repository(name);
    const { git, renderers } = host;
    const access = { type: 'eks', name: 'x' } as const;
    return new GitWorld(
      clone,
      { git, renderers },
      {
        repositories: [{ name: 'fleet', url: host.url(name), tokenSecret: 'git/token' }],
        clusters: [{ name: 'prod', access }],
        ...config,
      },
    );
  }

  /** Makes files the head (null removes one) without telling anybody. */
  async commit(files: Record<string, string | null>): Promise<string> {
    const sha = await commitFiles(this.clone, files, 'Change');
    await push(this.clone, 'main', { force: true });
    return sha;
  }

  async follow(head: string): Promise<string> {
    const outcome = await produce(await this.world.pushed(head, this.#head), 1, this.deps);
    this.#head = head;
    return outcome;
  }

  /** A push and what came of it: which applications were rendered. */
  async push(files: Record<string, string | null>): Promise<readonly string[]> {
    this.#rendered.clear();
    await this.follow(await this.commit(files));
    return this.takeRendered();
  }

  takeRendered(): readonly string[] {
    const names = [...this.#rendered].sort();
    this.#rendered.clear();
    return names;
  }
}

/** One Git host for all the tests of a file. */
export class GitHost {
  readonly git: HttpGit;
  readonly renderers: LocalRenderers;
  readonly scratch: string;
  readonly #root: string;
  readonly #server: GitServer;

  private constructor(root: string, server: GitServer, renderers: LocalRenderers) {
    this.#root = root;
    this.#server = server;
    this.renderers = renderers;
    this.scratch = join(root, 'scratch');
    const secrets = { get: async () => ({ current: token }) };
    this.git = new HttpGit({ secrets, scratch: this.scratch, path: process.env['PATH'] ?? '' });
  }

  static async start(): Promise<GitHost> {
    const tools = await findTools({ progress: () => undefined });
    const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
    await mkdir(join(root, 'scratch'));
    const server = await startGitServer({ dir: join(root, 'host'), token });
    return new GitHost(root, server, await LocalRenderers.find(dirname(tools.kubectl)));
  }

  url(name: string): string {
    return this.#server.url(name);
  }

  /** A new repository, as a person's clone of it. */
  async repository(name: string): Promise<string> {
    await this.#server.createRepository(name);
    const clone = join(this.#root, name);
    await cloneWorktree(this.#server.urlWithToken(name), clone);
    return clone;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#root, { recursive: true, force: true });
  }
}
