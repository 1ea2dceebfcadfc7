import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import { DiskWorktree } from '../../../adapters/worktree.ts';
import { sourceSchema } from '../../../core/model/source.ts';
import type { RenderContext } from '../../../core/render/context.ts';
import { render, type Rendered } from '../../../core/render/render.ts';
import { findTools } from '../../cluster/tools.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';
import { renderContext } from '../../fakes/render-context.ts';

/** By path in the tree; a text that begins with `-> ` is a symlink. */
export type TreeFiles = Readonly<Record<string, string | Uint8Array>>;

export interface RenderOptions {
  /** As an Application spells it; default: the folder `overlays/prod`. */
  readonly source?: object;
  readonly context?: Partial<RenderContext>;
}

/** The real renderers over files on disk, in a scratch folder, beside a server that nobody may reach. */
export class Rendering implements AsyncDisposable {
  readonly root: string;
  readonly renderers: LocalRenderers;
  /** What was asked of the server: there was a network. */
  readonly requests: readonly string[];
  readonly #server: Server;

  private constructor(root: string, renderers: LocalRenderers, server: Server, requests: readonly string[]) {
    this.root = root;
    this.renderers = renderers;
    this.requests = requests;
    this.#server = server;
  }

  static async start(): Promise<Rendering> {
    const tools = await findTools({ progress: () => undefined });
    const renderers = await LocalRenderers.find(dirname(tools.kubectl));
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end(deployment('stranger'));
    });
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    return new Rendering(await mkdtemp(join(tmpdir(), 'trueup-test-')), renderers, server, requests);
  }

  /** Of the server. */
  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** A tree with these files, and beside it a folder `outside` that is none of its business. */
  async tree(files: TreeFiles): Promise<DiskWorktree> {
    const scratch = await mkdtemp(join(this.root, 'case-'));
    const outside = {
      'outside/secret.txt': 'of somebody else',
      'outside/kustomization.yaml': 'resources: [a.yaml]',
      'outside/a.yaml': deployment('outside'),
    };
    const directory = join(scratch, 'tree');
    await mkdir(directory);
    await write(scratch, outside);
    await write(directory, files);
    const commit = commitOf('1'.repeat(40));
    const materialize = async () => undefined;
    return new DiskWorktree({
      ids: new Map(),
      fileBytes: 1_000_000,
      commit,
      directory,
      scratch,
      materialize,
    });
  }

  async render(files: TreeFiles, { source, context }: RenderOptions = {}): Promise<Rendered> {
    await using worktree = await this.tree(files);
    const parsed = sourceSchema.parse(source ?? { path: 'overlays/prod' });
    return await render(parsed, renderContext(worktree, this.renderers, context));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

async function write(folder: string, files: TreeFiles): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) {
      await symlink(content.slice(3), join(folder, name));
    } else {
      await writeFile(join(folder, name), content);
    }
  }
}

export function deployment(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: ${name}, image: ${name}}]}
`;
}

/** A base of one Deployment. */
export const base = {
  'base/kustomization.yaml': 'resources: [web.yaml]\n',
  'base/web.yaml': deployment('web'),
};

/** That base, and a kustomization in `overlays/prod`. */
export function overlay(text: string): TreeFiles {
  return { ...base, 'overlays/prod/kustomization.yaml': text };
}
