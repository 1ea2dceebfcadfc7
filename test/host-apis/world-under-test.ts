import { GitHosts } from '../../adapters/git-hosts.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import type { HostUnderTest } from '../contract/git-host-contract.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import type { HostServer } from './host-server.ts';
import type { HostWorld } from './host-world.ts';

export const token = 'a-token-of-the-host';

export interface WorldTraits {
  /** Of the repository, below the server's origin; a whole address where a host has none of its own. */
  readonly path: string;
  /** Of its API, where it is not where the provider's usually is. */
  readonly apiPath?: string;
  readonly provider: string;
  readonly longestComment: number;
  readonly hasLabels?: boolean;
  readonly hasForks?: boolean;
  /** Words of the host for the state of a status, as the contract has them. */
  readonly statuses?: Readonly<Record<string, string>>;
  readonly deployments?: Readonly<Record<string, string>>;
  /** Before the colon of the secret. */
  readonly user?: string;
}

/** The adapter against a server that speaks the API of its host over a world. */
export function worldUnderTest(world: HostWorld, server: HostServer, traits: WorldTraits): HostUnderTest {
  const {
    path,
    apiPath,
    provider,
    longestComment,
    hasLabels = false,
    hasForks = true,
    statuses,
    deployments,
    user,
  } = traits;
  const isWhole = path.startsWith('https:');
  const secret = user === undefined ? token : `${user}:${token}`;
  const clock = new ManualClock();
  const codeCommit = {
    endpoint: server.origin,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 's' },
  };
  return {
    host: new GitHosts({ secrets: { get: async () => ({ current: `${secret}\n` }) }, clock, codeCommit }),
    repository: repositorySchema.parse({
      name: 'fleet',
      provider,
      url: isWhole ? path : `${server.origin}${path}`,
      ...(!isWhole && { tokenSecret: 'git/token' }),
      ...(apiPath !== undefined && { host: { apiUrl: `${server.origin}${apiPath}` } }),
    }),
    open: (pull) => String(world.open(pull).number),
    merge: (id) => {
      const pull = world.find(id);
      if (pull !== undefined) pull.state = 'merged';
    },
    deleteBranch: (branch) => void world.deleted.add(branch),
    comments: (id) => world.commentsOf(id).map(({ text }) => text),
    say: (id, text) => world.comment(Number(id), 'mallory', text),
    approve: (id, by, sha) => {
      world.reviews.push({ pull: Number(id), by, sha, verdict: 'approved', mayWrite: true });
    },
    ...(statuses !== undefined && {
      statuses: (sha: string) => {
        const at = world.statuses.filter((one) => one.sha === sha && one.pull === undefined);
        return new Map(at.map(({ context, state }) => [context, statuses[state] ?? state]));
      },
    }),
    ...(deployments !== undefined && {
      deployed: (environment: string, sha: string) => {
        const found = world.deployments.filter((one) => one.environment === environment && one.sha === sha);
        const state = found.at(-1)?.states.at(-1);
        return found.length > 1 || state === undefined ? undefined : deployments[state];
      },
    }),
    hasLabels,
    hasForks,
    body: (id) => world.find(id)?.body ?? '',
    writes: () => server.requests.filter((line) => !line.startsWith('GET ')).length,
    longestComment,
  };
}
