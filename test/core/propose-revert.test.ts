import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { HttpGit } from '../../adapters/git.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import type { EventDetail } from '../../core/contract/events.ts';
import { installationName } from '../../core/contract/installation.ts';
import { keys } from '../../core/contract/keys.ts';
import { formerRevertBranches, revertBranch } from '../../core/contract/reverts.ts';
import { Retry } from '../../core/errors.ts';
import { defaultSettings, type DesiredPointer } from '../../core/model/desired.ts';
import { proposeRevert, type ProposeRevertDeps } from '../../core/propose-revert.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { commitOf } from '../fakes/memory-worktree.ts';
import { git } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

const token = 'a-token-of-the-test';
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const at = '2026-11-23T12:00:00.000Z';
let server: GitServer;
let clone = '';
let store: MemoryStore;
let host: MemoryGitHost;
let deps: ProposeRevertDeps;
let [good, bad] = ['', ''];

const definition = (name: string, more = '') => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}}
  namespace: ${name}
  clusters: {names: [east, west]}
${more}`;

before(async () => {
  server = await startGitServer({ dir: join(root, 'host'), token });
  await server.createRepository('config');
  clone = join(root, 'clone');
  await cloneWorktree(server.urlWithToken('config'), clone);
  const run = join(clone, 'apps/web/run.sh');
  await mkdir(join(clone, 'apps/web'), { recursive: true });
  await writeFile(run, 'echo 1\n');
  await chmod(run, 0o755);
  await writeFile(join(clone, 'apps/web/blob'), Buffer.from([0, 255, 1]));
  const start = {
    'applications/web.yaml': definition('web'),
    'apps/web/old.yaml': 'a: 1\n',
    'base/x.yaml': 'a: 1\n',
  };
  const shared = `${definition('one')}---\n${definition('two')}`;
  good = await commitFiles(
    clone,
    { ...start, 'applications/shared.yaml': shared, 'apps/one/a.yaml': 'a: 1\n' },
    'Good one',
  );
  for (const path of ['apps/web/old.yaml', 'apps/web/blob']) await unlink(join(clone, path));
  await writeFile(run, 'echo 2\n');
  const change = {
    'applications/web.yaml': definition('web', '  prune: false\n'),
    'applications/shared.yaml': `${shared}# changed\n`,
    'apps/web/new.yaml': 'b: 1\n',
    'apps/one/a.yaml': 'a: 2\n',
    'base/x.yaml': 'a: 2\n',
  };
  bad = await commitFiles(clone, change, 'Bad one @ops [x](y) #1');
  await commitFiles(clone, { 'apps/other/a.yaml': 'a: 1\n' }, 'Of somebody else');
  await push(clone);
  await mkdir(join(root, 'scratch'));
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

beforeEach(async () => {
  store = new MemoryStore();
  host = new MemoryGitHost();
  const secrets = { get: async () => ({ current: token }) };
  const writer = new HttpGit({ secrets, scratch: join(root, 'scratch'), path: process.env['PATH'] ?? '' });
  const config = parseStackConfig({
    repositories: [
      {
        name: 'config',
        url: server.url('config'),
        tokenSecret: 'git/token',
        reverts: { labels: ['revert'] },
      },
    ],
    clusters: ['east', 'west'].map((name) => ({ name, access: { type: 'eks' as const, name } })),
  });
  deps = { store, git: writer, writer, host, config, bucket: 'records' };
  const file = (name: string) => ({ file: `applications/${name}.yaml`, clusters: ['east', 'west'] });
  const state = {
    version: 1,
    seq: 1,
    repository: 'config',
    ref: 'refs/heads/main',
    head: { sha: bad, at },
    failing: false,
    applications: { web: file('web'), one: file('shared') },
  };
  await store.put(keys.repository('config', 'refs/heads/main'), JSON.stringify(state), 'any');
});

/** Rolled back there, with the event of it. */
async function rolledBack(
  application: string,
  cluster: string,
  more: Partial<EventDetail<'RolledBack'>> = {},
): Promise<EventDetail<'RolledBack'>> {
  const target = { cluster, application };
  const [from, to] = [
    { snapshot: 'sha256:b', commit: { ...commitOf(bad, 'config'), subject: 'Bad one @ops [x](y) #1' } },
    { snapshot: 'sha256:a', commit: { ...commitOf(good, 'config'), subject: 'Good one' } },
  ];
  const pointer: DesiredPointer = {
    version: 1,
    seq: 3,
    target,
    repository: 'config',
    ref: 'refs/heads/main',
    state: 'present',
    revision: 3,
    objects: 1,
    settings: defaultSettings,
    pin: { by: 'trueup', reason: 'bad', at },
    held: { ...from, state: 'present', objects: 1, settings: defaultSettings },
    ...to,
    examined: { sha: bad, at },
  };
  await store.put(keys.desired(target), JSON.stringify(pointer), 'any');
  const said = {
    version: 1 as const,
    at,
    target,
    by: 'trueup',
    reason: 'it is Degraded: <b>x</b>',
    automatic: true,
  };
  return { ...said, revision: 3, from, to, revertPullRequest: true, ...more };
}

const repository = () => deps.config.repositories[0] ?? assert.fail('there is none');
const changeOf = (name: string) => `${name}-${bad.slice(0, 7)}-to-${good.slice(0, 7)}`;
const branchOf = (name: string) => revertBranch(installationName('default', 'records'), changeOf(name));
const changes = async (branch: string): Promise<string> => {
  await git(clone, ['fetch', '--quiet', 'origin', `+refs/heads/${branch}:refs/remotes/origin/${branch}`]);
  return git(clone, ['diff', '--name-status', 'origin/main', `origin/${branch}`]);
};

describe('a change that was rolled back', () => {
  for (const version of [0, 1]) {
    it(`is proposed once, though an older version proposed it, ${version + 1} before this one`, async () => {
      const branch = formerRevertBranches('default', changeOf('web'))[version] ?? '';
      const url = 'https://git.example/config/pulls/1';
      host.open('config', { branch });
      const asked = await rolledBack('web', 'east');
      assert.deepEqual(await proposeRevert(asked, deps), { kind: 'proposed', url });
      host.change('config', '1', { state: 'closed' });
      assert.deepEqual(await proposeRevert(asked, deps), { kind: 'left', why: `${url} was closed` });
      assert.deepEqual(
        host.calls.filter((call) => call.startsWith('propose')),
        [],
      );
    });
  }

  it('is taken back in one commit: files as they were, new ones gone, modes and bytes as before', async () => {
    const outcome = await proposeRevert(await rolledBack('web', 'east'), deps);
    assert.deepEqual(outcome, { kind: 'proposed', url: 'https://git.example/config/pulls/1' });
    const branch = branchOf('web');
    assert.equal(
      await changes(branch),
      [
        'M\tapplications/web.yaml',
        'A\tapps/web/blob',
        'D\tapps/web/new.yaml',
        'A\tapps/web/old.yaml',
        'M\tapps/web/run.sh',
      ].join('\n'),
    );
    const own = ['applications/web.yaml', 'apps/web'];
    assert.equal(
      await git(clone, ['diff', good, `origin/${branch}`, '--', ...own]),
      '',
      'as it was, to the byte',
    );
    assert.equal(await git(clone, ['rev-list', '--count', `origin/main..origin/${branch}`]), '1');
    const log = await git(clone, ['log', '-1', '--format=%an %s', `origin/${branch}`]);
    assert.equal(log, `trueup Revert web to ${good.slice(0, 7)}: Good one`);
    const pull = await host.pullRequestFrom(repository(), branch);
    assert.deepEqual([pull?.state, pull?.base.branch, pull?.labels], ['open', 'main', ['revert']]);
  });

  it('says who, why and where, and lets nobody else speak', async () => {
    await rolledBack('web', 'west');
    await proposeRevert(await rolledBack('web', 'east'), deps);
    const body = host.bodyOf('config', '1');
    assert.match(
      body,
      /^\*\*web\*\* was rolled back on east, west, from [0-9a-f]{7} \(Bad one @\u200bops \\\[x\\\]\(y\) #\u200b1\) to/,
    );
    assert.match(body, /\*\*Why:\*\* it is Degraded: \\<b\\>x\\<\/b\\>/);
    assert.match(
      body,
      /\*\*Who:\*\* trueup itself \(`spec.rollback.onFailure`\), at 2026-11-23T12:00:00.000Z/,
    );
    assert.match(body, /bases and values that it shares with others, stays as it is/);
  });

  it('has one pull request, however many clusters and however often it is asked for', async () => {
    await proposeRevert(await rolledBack('web', 'east'), deps);
    const branch = branchOf('web');
    await changes(branch);
    const pushed = await git(clone, ['rev-parse', `origin/${branch}`]);
    await proposeRevert(await rolledBack('web', 'west'), deps);
    await proposeRevert(await rolledBack('web', 'east'), deps);
    await changes(branch);
    assert.equal(await git(clone, ['rev-parse', `origin/${branch}`]), pushed, 'what people push to it stays');
    assert.equal((await host.openPullRequests(repository())).length, 1);
  });

  it('has a branch of its own in each installation', async () => {
    await proposeRevert(await rolledBack('web', 'east'), deps);
    const other = { ...deps, config: { ...deps.config, fleet: 'other' } };
    const outcome = await proposeRevert(await rolledBack('web', 'east'), other);
    assert.deepEqual(outcome, { kind: 'proposed', url: 'https://git.example/config/pulls/2' });
    const branches = (await host.openPullRequests(repository())).map(({ head }) => head.branch);
    assert.deepEqual(branches, [branchOf('web').replace('default', 'other'), branchOf('web')]);
  });

  it('shares its file: that stays, and it is said', async () => {
    await proposeRevert(await rolledBack('one', 'east'), deps);
    assert.equal(await changes(branchOf('one')), 'M\tapps/one/a.yaml');
    assert.match(host.bodyOf('config', '1'), /`applications\/shared.yaml` shares that file with others/);
  });
});

describe('no pull request', () => {
  const why = async (event: EventDetail<'RolledBack'>): Promise<string> => {
    const outcome = await proposeRevert(event, deps);
    return outcome.kind === 'left' ? outcome.why : outcome.url;
  };

  it('where one was closed by a person, or merged', async () => {
    await proposeRevert(await rolledBack('web', 'east'), deps);
    host.change('config', '1', { state: 'closed' });
    assert.equal(await why(await rolledBack('web', 'west')), 'https://git.example/config/pulls/1 was closed');
  });

  it('where somebody pushed to its branch before there was one, and the branch stays theirs', async () => {
    const branch = branchOf('web');
    await git(clone, ['push', '--quiet', '--force', 'origin', `${good}:refs/heads/${branch}`]);
    assert.equal(
      await why(await rolledBack('web', 'east')),
      `somebody pushed to ${branch}: merge or delete it`,
    );
    assert.match(await git(clone, ['ls-remote', 'origin', `refs/heads/${branch}`]), new RegExp(`^${good}`));
    await git(clone, ['push', '--quiet', 'origin', `:refs/heads/${branch}`]);
    assert.match(await why(await rolledBack('web', 'east')), /^https:/);
  });

  it('where the rollback is over by now', async () => {
    const event = await rolledBack('web', 'east');
    await store.delete(keys.desired(event.target), 'any');
    assert.equal(await why(event), 'it is not rolled back to that any more');
  });

  it('where the repository has not asked for any', async () => {
    const event = await rolledBack('web', 'east');
    deps = { ...deps, config: { ...deps.config, repositories: [] } };
    assert.match(await why(event), /repository config has no `reverts`/);
  });

  it('of a commit that the host has no more', async () => {
    const event = await rolledBack('web', 'east');
    const commit = { ...event.from.commit, sha: 'f'.repeat(40) };
    assert.match(
      await why({ ...event, from: { ...event.from, commit } }),
      /the Git host has commit f{40} no more/,
    );
  });

  it('while the Git host does not answer: it comes later, and what was pushed by then is known as ours', async () => {
    const event = await rolledBack('web', 'east');
    const propose = async () => Promise.reject(new Retry({ subject: 'host', message: 'down' }));
    const dying = { ...deps, host: { pullRequestFrom: async () => undefined, propose } };
    await assert.rejects(proposeRevert(event, dying), Retry);
    // Of another cluster, and so another commit.
    const later = { ...(await rolledBack('web', 'west')), at: '2026-11-23T13:00:00.000Z' };
    assert.equal((await proposeRevert(later, deps)).kind, 'proposed');
  });

  it('where somebody has changed one of these files since', async () => {
    await commitFiles(clone, { 'apps/web/new.yaml': 'b: 2\n' }, 'Mended by hand');
    await push(clone);
    assert.equal(
      await why(await rolledBack('web', 'east')),
      'somebody has changed apps/web/new.yaml since: revert it by hand',
    );
  });
});
