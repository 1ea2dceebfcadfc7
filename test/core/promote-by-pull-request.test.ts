import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { HttpGit } from '../../adapters/git.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { promotionWriterOf } from '../../core/contract/repository.ts';
import { Retry } from '../../core/errors.ts';
import { promotedSchema } from '../../core/model/promoted.ts';
import { promoteByPullRequest } from '../../core/promote-by-pull-request.ts';
import { readPromoted } from '../../core/promoted-book.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { git } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

const token = 'a-token-of-the-test';
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const [from, to] = ['envs/dev/images.yaml', 'envs/prod/images.yaml'];
let server: GitServer;
let clone = '';
let store: MemoryStore;
let host: MemoryGitHost;
let writer: HttpGit;
let [first, second] = ['', ''];
let count = 0;

before(async () => {
  server = await startGitServer({ dir: join(root, 'host'), token });
  await mkdir(join(root, 'scratch'));
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

beforeEach(async () => {
  count += 1;
  await server.createRepository(`config-${count}`);
  clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(`config-${count}`), clone);
  first = await commitFiles(clone, { [from]: 'tag: 1\n', [to]: 'tag: 1\n', 'base.yaml': 'a: 1\n' }, 'First');
  await push(clone);
  await git(clone, ['push', '--quiet', 'origin', 'HEAD:refs/heads/env/prod']);
  second = await commitFiles(clone, { [from]: 'tag: 2\n', 'base.yaml': 'a: 2\n' }, 'Second');
  await push(clone);
  store = new MemoryStore();
  host = new MemoryGitHost();
  const secrets = { get: async () => ({ current: token }) };
  writer = new HttpGit({ secrets, scratch: join(root, 'scratch'), path: process.env['PATH'] ?? '' });
});

const branch = 'trueup/promote/default-1234abcd/prod';

/** An environment with a branch of its own, or a file on the common one. */
function environment(more: object) {
  const url = server.url(`config-${count}`);
  const config = parseStackConfig({
    repositories: [
      { name: 'dev', url, tokenSecret: 'git/token' },
      {
        name: 'prod',
        url,
        tokenSecret: 'git/token',
        ...('files' in more ? {} : { branch: 'env/prod' }),
        promotion: { by: 'pullRequest', from: 'dev', ...more },
      },
    ],
    clusters: [{ name: 'any', access: { type: 'eks' as const, name: 'any' } }],
  });
  const repository = config.repositories[1] && promotionWriterOf(config.repositories[1]);
  assert.ok(repository);
  return repository;
}

/** One look, in words. */
async function look(repository: ReturnType<typeof environment>, sha: string, held?: string): Promise<string> {
  host.headOf = () => heads.get(branch) ?? '';
  await fetchHeads();
  const own = await readPromoted(store, 'prod');
  const pushing = {
    commit: async (...args: Parameters<typeof writer.commit>) => {
      const pushed = await writer.commit(...args);
      await fetchHeads();
      return pushed;
    },
  };
  const proposals = { git: writer, writer: pushing, host };
  const deps = { store, clock: new ManualClock(), proposals, installation: 'default-1234abcd' };
  const outcome = await promoteByPullRequest(repository, { own, sha, at: 0, held }, deps);
  if (outcome.kind === 'waits') return outcome.why;
  return outcome.kind === 'promoted' ? `promoted by ${outcome.commit.by}` : outcome.kind;
}

const heads = new Map<string, string>();
async function fetchHeads(): Promise<void> {
  heads.clear();
  for (const line of (await git(clone, ['ls-remote', '--heads', 'origin'])).split('\n')) {
    const [commit = '', ref = ''] = line.split('\t');
    heads.set(ref.replace('refs/heads/', ''), commit);
  }
}

const show = async (spec: string) => {
  await git(clone, ['fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*']);
  return git(clone, ['show', `origin/${spec}`]);
};
const url = 'https://git.example/prod/pulls/1';
const waits = `waits for the merge of ${url}`;
const status = () =>
  [...host.statuses].flatMap(([, by]) => {
    const one = by.get('trueup/promotion');
    return one === undefined ? [] : [`${one.state}: ${one.description}`];
  });

describe('an environment by pull request', () => {
  it('gets the whole commit on its own branch, as one commit on top of the head', async () => {
    const prod = environment({});
    assert.equal(await look(prod, second), waits);
    assert.equal((await git(clone, ['diff', second, await tip()])).trim(), '');
    assert.deepEqual(status(), ['success: dev is good with it']);
    const pushed = await tip();
    assert.equal(await look(prod, second), waits);
    assert.equal(await tip(), pushed);
    await git(clone, ['push', '--quiet', 'origin', `${pushed}:refs/heads/env/prod`]);
    host.change('prod', '1', { state: 'merged' });
    assert.equal(await look(prod, second), 'promoted by whoever merged it');
    assert.equal(await look(prod, second), 'same');
    const { commit, proposal, matches } = await readPromoted(store, 'prod');
    assert.deepEqual([commit?.sha, commit?.reason, proposal, matches], [second, url, undefined, second]);
  });

  it('gets the contents of files on the common branch; another commit with the same changes nothing', async () => {
    const prod = environment({ files: [{ from, to }] });
    assert.equal(await look(prod, second), waits);
    assert.equal(await show(`${branch}:${to}`), 'tag: 2');
    const pushed = await tip();
    const third = await commitFiles(clone, { 'other.yaml': 'b: 1\n' }, 'Third');
    await push(clone);
    assert.equal(await look(prod, third), waits);
    assert.equal(await tip(), pushed);
    const fourth = await commitFiles(clone, { [from]: 'tag: 4\n' }, 'Fourth');
    await push(clone);
    assert.equal(await look(prod, fourth), waits);
    assert.equal(await show(`${branch}:${to}`), 'tag: 4');
    assert.match(
      await look(environment({ files: [{ from: 'no.yaml', to }] }), second),
      /there is no file no.yaml/,
    );
  });

  it('is told at the commit when a gate closes, and when approvals are missing', async () => {
    const prod = environment({ reviews: 1 });
    assert.equal(await look(prod, second, 'dev soaks'), 'dev soaks');
    assert.deepEqual(host.calls, []);
    await look(prod, second);
    assert.deepEqual(status(), ['pending: 0 of 1 approvals']);
    host.approve('prod', '1', { by: 'ada', sha: await tip() });
    await look(prod, second);
    assert.deepEqual(status(), ['success: dev is good with it']);
    assert.equal(await look(prod, second, 'web on dev is Degraded'), 'web on dev is Degraded');
    assert.deepEqual(status(), ['pending: web on dev is Degraded']);
  });

  it('leaves what people do: closed is not proposed again but with other contents, and a branch of theirs stays', async () => {
    const prod = environment({});
    await look(prod, second);
    await host.close(prod, '1');
    assert.equal(await look(prod, second), `${url} was closed`);
    const third = await commitFiles(clone, { 'base.yaml': 'a: 3\n' }, 'Third');
    await push(clone);
    assert.match(await look(prod, third), /waits for the merge of .*\/2$/);
    await git(clone, ['push', '--quiet', '--force', 'origin', `${first}:refs/heads/${branch}`]);
    host.change('prod', '2', { head: { branch, sha: first, isFork: false } });
    assert.match(await look(prod, third), /somebody pushed to its branch/);
    assert.equal(await tip(), first);
  });

  it('goes on after it was killed between push, host and record, with the same commit', async () => {
    const prod = environment({});
    host.fault = new Retry({ subject: 'host', message: 'is down' });
    await assert.rejects(look(prod, second), /is down/);
    host.fault = undefined;
    await look(prod, second);
    const pushed = await tip();
    await store.delete(keys.promoted('prod'), 'any');
    assert.equal(await look(prod, second), waits);
    assert.equal(await tip(), pushed);
    const kept = JSON.parse((await store.get(keys.promoted('prod')))?.text ?? '');
    assert.equal(promotedSchema.parse(kept).proposal?.head, pushed);
  });
});

async function tip(): Promise<string> {
  await fetchHeads();
  await git(clone, ['fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*']);
  return heads.get(branch) ?? '';
}
