import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GitHosts } from '../../../adapters/git-hosts.ts';
import { repositorySchema } from '../../../core/contract/repository.ts';
import { Blocked } from '../../../core/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

/** Provider, address of the repository, configured address of the API, and where its pull requests are asked for. */
const table = [
  [
    'github',
    'https://github.com/acme/fleet.git',
    undefined,
    'https://api.github.com/repos/acme/fleet/pulls/1',
  ],
  [
    'github',
    'ssh://git@github.com/acme/fleet.git',
    undefined,
    'https://api.github.com/repos/acme/fleet/pulls/1',
  ],
  ['github', 'https://ghe.acme.example/a/b', undefined, 'https://ghe.acme.example/api/v3/repos/a/b/pulls/1'],
  [
    'github',
    'https://acme.ghe.com/a/b',
    'https://api.acme.ghe.com',
    'https://api.acme.ghe.com/repos/a/b/pulls/1',
  ],
  [
    'gitlab',
    'https://gitlab.com/a/b/c.git',
    undefined,
    'https://gitlab.com/api/v4/projects/a%2Fb%2Fc/merge_requests/1',
  ],
  [
    'gitlab',
    'ssh://git@git.example:2222/a/b.git',
    undefined,
    'https://git.example/api/v4/projects/a%2Fb/merge_requests/1',
  ],
  [
    'gitlab',
    'https://x.example/gitlab/a/b',
    'https://x.example/gitlab/api/v4',
    'https://x.example/gitlab/api/v4/projects/a%2Fb/merge_requests/1',
  ],
  ['forgejo', 'https://codeberg.org/a/b.git', undefined, 'https://codeberg.org/api/v1/repos/a/b/pulls/1'],
  [
    'gitea',
    'https://git.example:3000/a/b.git',
    undefined,
    'https://git.example:3000/api/v1/repos/a/b/pulls/1',
  ],
  [
    'bitbucket',
    'https://bitbucket.org/a/b.git',
    undefined,
    'https://api.bitbucket.org/2.0/repositories/a/b/pullrequests/1',
  ],
  [
    'bitbucket-data-center',
    'https://b.example/scm/~ada/b.git',
    undefined,
    'https://b.example/rest/api/1.0/projects/~ada/repos/b/pull-requests/1',
  ],
  [
    'bitbucket-data-center',
    'ssh://git@b.example:7999/KEY/b.git',
    undefined,
    'https://b.example/rest/api/1.0/projects/KEY/repos/b/pull-requests/1',
  ],
  [
    'azure-devops',
    'https://dev.azure.com/o/p%20q/_git/r',
    undefined,
    'https://dev.azure.com/o/p%20q/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
  [
    'azure-devops',
    'https://dev.azure.com/o/_git/r',
    undefined,
    'https://dev.azure.com/o/r/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
  [
    'azure-devops',
    'https://o.visualstudio.com/DefaultCollection/p/_git/r',
    undefined,
    'https://o.visualstudio.com/DefaultCollection/p/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
  [
    'azure-devops',
    'https://o.visualstudio.com/_git/r',
    undefined,
    'https://o.visualstudio.com/r/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
  [
    'azure-devops',
    'ssh://git@ssh.dev.azure.com/v3/o/p/r',
    undefined,
    'https://dev.azure.com/o/p/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
  [
    'azure-devops',
    'https://tfs.example/tfs/C/p/_git/r',
    undefined,
    'https://tfs.example/tfs/C/p/_apis/git/repositories/r/pullrequests/1?api-version=7.0',
  ],
] as const;

for (const [provider, url, apiUrl, wanted] of table) {
  test(`${provider}: ${url} is asked at its API`, async (context) => {
    const asked: string[] = [];
    context.mock.method(globalThis, 'fetch', async (address: string | URL) => {
      asked.push(String(address));
      throw new TypeError('nobody is there');
    });
    const host = { tokenSecret: 'git/token', ...(apiUrl !== undefined && { apiUrl }) };
    const ssh = url.startsWith('ssh:') ? { ssh: { secret: 'git/key' } } : {};
    const repository = repositorySchema.parse({ name: 'fleet', provider, url, host, ...ssh });
    const hosts = new GitHosts({
      secrets: { get: async () => ({ current: 't' }) },
      clock: new ManualClock(),
    });
    await assert.rejects(hosts.pullRequest(repository, '1'), /does not answer/);
    assert.deepEqual(asked, [wanted]);
  });
}

test('what has no API, no token or no such address is blocked', async () => {
  const hosts = new GitHosts({ secrets: { get: async () => ({ current: 't' }) }, clock: new ManualClock() });
  const cases = [
    [{ provider: 'generic', url: 'https://git.example/a/b' }, /has no pull requests .*provider generic/],
    [{ url: 'oci://registry.example/a', tag: 'v1' }, /has no pull requests .*provider of artifacts/],
    [{ provider: 'github', url: 'https://github.com/acme/fleet' }, /names no token .*host\.tokenSecret/],
    [{ provider: 'github', url: 'https://github.com/fleet', tokenSecret: 't' }, /no url like/],
    [{ provider: 'azure-devops', url: 'https://dev.azure.com/o/p/r', tokenSecret: 't' }, /no url like/],
    [{ provider: 'bitbucket-data-center', url: 'https://b.example/a', tokenSecret: 't' }, /no url like/],
    [{ provider: 'codecommit', url: 'https://git.example/a', tokenSecret: 't' }, /no url like/],
  ] as const;
  for (const [config, text] of cases) {
    const repository = repositorySchema.parse({ name: 'fleet', ...config });
    const isIt = (error: unknown) => error instanceof Blocked && text.test(error.message);
    await assert.rejects(hosts.openPullRequests(repository), isIt);
  }
});
