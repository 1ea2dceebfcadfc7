import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deliveries, type Delivery, type Webhook } from './deliveries.ts';
import { git } from './git-command.ts';
import { runHttpBackend } from './http-backend.ts';
import { pushPayload } from './push-payload.ts';
import { readRefs, refChanges } from './ref-changes.ts';
import {
  defaultBranch,
  owner,
  repositoryPayload,
  userPayload,
  type HostedRepository,
} from './repository-payload.ts';

export interface GitServerOptions {
  /** Folder for the bare repositories; made if absent. */
  dir: string;
  /** The password that every request must carry by Basic authentication, whatever the user name. */
  token: string;
  port?: number;
}

/** A Git host over HTTP on 127.0.0.1: private repositories, real git, GitHub's push webhooks. */
export interface GitServer {
  /** Clone URL of a repository, without credentials. */
  url(name: string): string;
  /** The same with the token in it, for a git that has no credential helper. */
  urlWithToken(name: string): string;
  /** Makes an empty repository, or one whose default branch holds the files of a folder; gives its head then. */
  createRepository(name: string, options?: { from?: string }): Promise<string | undefined>;
  /** Sets the one webhook of a repository and sends it a ping, which is the delivery returned. */
  setWebhook(name: string, hook: Webhook): Promise<Delivery>;
  readonly deliveries: Deliveries;
  stop(): Promise<void>;
}

interface Hooked {
  hosted: HostedRepository;
  hook?: Webhook & { id: number };
  /** The push that is being received; pushes are taken one after another, so that refs before and after are certain. */
  push: Promise<void>;
}

const settings = {
  'http.receivepack': 'true',
  'uploadpack.allowFilter': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'uploadpack.allowReachableSHA1InWant': 'true',
  // A test may delete the default branch; GitHub forbids that until another is made the default.
  'receive.denyDeleteCurrent': 'ignore',
  'gc.auto': '0',
};

async function commitFolder(from: string, repository: string): Promise<string> {
  const worktree = await mkdtemp(join(tmpdir(), 'trueup-git-'));
  try {
    await cp(from, worktree, { recursive: true, filter: (source) => !source.endsWith('/.git') });
    await git(worktree, ['init', '--quiet', `--initial-branch=${defaultBranch}`]);
    await git(worktree, ['add', '--all']);
    await git(worktree, ['commit', '--quiet', '--message', 'Start']);
    await git(worktree, ['push', '--quiet', repository, `HEAD:refs/heads/${defaultBranch}`]);
    return await git(worktree, ['rev-parse', 'HEAD']);
  } finally {
    await rm(worktree, { recursive: true, force: true });
  }
}

function userWith(token: string, authorization: string | undefined): string | undefined {
  const [scheme, encoded = ''] = (authorization ?? '').split(' ');
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (scheme?.toLowerCase() !== 'basic' || text.slice(colon + 1) !== token) return undefined;
  return text.slice(0, colon) || 'anyone';
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="GitHub"');
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

class Host implements GitServer {
  readonly deliveries = new Deliveries();
  readonly #options: GitServerOptions;
  readonly #server = createServer((incoming, response) => {
    this.#answer(incoming, response).catch((error: unknown) => {
      if (!response.headersSent) response.statusCode = 500;
      response.end(String(error));
    });
  });
  readonly #repositories = new Map<string, Hooked>();
  #origin = '';

  constructor(options: GitServerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await mkdir(join(this.#options.dir, owner.login), { recursive: true });
    this.#server.listen(this.#options.port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the Git server got no port');
    this.#origin = `http://127.0.0.1:${address.port}`;
  }

  url(name: string): string {
    return this.#find(name).hosted.cloneUrl;
  }

  urlWithToken(name: string): string {
    return this.url(name).replace('://', `://x-access-token:${this.#options.token}@`);
  }

  async createRepository(name: string, options: { from?: string } = {}): Promise<string | undefined> {
    const fullName = `${owner.login}/${name}`;
    const path = join(this.#options.dir, `${fullName}.git`);
    await git(this.#options.dir, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, path]);
    for (const [key, value] of Object.entries(settings)) await git(path, ['config', key, value]);
    const htmlUrl = `${this.#origin}/${fullName}`;
    const id = 186_853_000 + this.#repositories.size;
    const hosted = { id, name, fullName, path, htmlUrl, cloneUrl: `${htmlUrl}.git`, createdAt: new Date() };
    this.#repositories.set(name, { hosted, push: Promise.resolve() });
    return options.from === undefined ? undefined : commitFolder(options.from, path);
  }

  setWebhook(name: string, hook: Webhook): Promise<Delivery> {
    const repository = this.#find(name);
    const id = 292_430_000 + repository.hosted.id;
    repository.hook = { ...hook, id };
    const config = { content_type: 'json', insecure_ssl: '0', url: hook.url };
    const payload = {
      zen: 'Approachable is better than simple.',
      hook_id: id,
      hook: { type: 'Repository', id, name: 'web', active: true, events: ['push'], config },
      repository: repositoryPayload(repository.hosted),
      sender: userPayload(owner),
    };
    const ping = this.deliveries.make(hook, { repository: name, event: 'ping', hookId: id, payload });
    return this.deliveries.settled().then(() => ping);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await this.deliveries.stop();
    await closed;
  }

  #find(name: string): Hooked {
    const repository = this.#repositories.get(name);
    if (repository === undefined)
      throw new Error(`the Git server has no repository ${name}: createRepository first`);
    return repository;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const user = userWith(this.#options.token, incoming.headers.authorization);
    if (user === undefined) return refuse(response, 401, 'Authentication required\n');
    const { pathname, search } = new URL(incoming.url ?? '/', this.#origin);
    const [, account, folder = '', ...rest] = pathname.split('/');
    const repository = this.#repositories.get(folder.replace(/\.git$/, ''));
    if (account !== owner.login || repository === undefined) return refuse(response, 404, 'Not Found\n');
    const path = `/${repository.hosted.fullName}.git/${rest.join('/')}`;
    const backend = { projectRoot: this.#options.dir, path, query: search.slice(1), user };
    const receive = () => runHttpBackend(incoming, response, backend);
    if (incoming.method === 'POST' && rest.join('/') === 'git-receive-pack')
      await this.#push(repository, receive);
    else await receive();
    response.end();
  }

  async #push(repository: Hooked, receive: () => Promise<void>): Promise<void> {
    const earlier = repository.push;
    const { promise, resolve } = Promise.withResolvers<void>();
    repository.push = promise;
    try {
      await earlier;
      const before = await readRefs(repository.hosted.path);
      await receive();
      // The deliveries exist when `git push` returns; their sending does not hold it up.
      await this.#notify(repository, before);
    } finally {
      resolve();
    }
  }

  async #notify({ hosted, hook }: Hooked, before: ReadonlyMap<string, string>): Promise<void> {
    const changes = refChanges(before, await readRefs(hosted.path));
    // GitHub sends nothing for a push of more than three tags at once.
    const tags = changes.filter(({ ref }) => ref.startsWith('refs/tags/')).length;
    if (hook === undefined || tags > 3) return;
    for (const change of changes) {
      const payload = await pushPayload(hosted, change, before);
      const notice = {
        repository: hosted.name,
        event: 'push',
        ref: change.ref,
        hookId: hook.id,
        payload,
      } as const;
      this.deliveries.make(hook, notice);
    }
  }
}

/** Starts a Git host; stop it when done. Needs git 2.31 or newer with its http-backend on the machine. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const host = new Host(options);
  await host.start();
  return host;
}
