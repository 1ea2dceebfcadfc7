import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { installationName } from '../../../core/contract/installation.ts';
import { promotionBranch } from '../../../core/contract/promotion.ts';
import type { RepositoryConfig } from '../../../core/contract/repository.ts';
import { Retry } from '../../../core/errors.ts';
import { promoteEnvironments } from '../../../core/promote-environments.ts';
import { readPromoted } from '../../../core/promoted-book.ts';
import { environmentRows } from '../../../core/view/environments.ts';
import type { GitWriter } from '../../../core/write-ports.ts';
import { commitOf, MemoryWorktree, type Files } from '../../fakes/memory-worktree.ts';
import { MemoryGitHost } from '../../memory-git-host.ts';
import { Line, lineConfig, sha } from './line.ts';

const branchOf = (fleet: string, bucket: string) =>
  promotionBranch(installationName(fleet, bucket), 'staging');
const branch = branchOf('default', 'records');
const [from, to] = ['dev.yaml', 'staging.yaml'];
const ours = { name: 'trueup', email: 'trueup@example.com' };
const person = { name: 'Ada', email: 'ada@example.com' };

/** One repository in memory, with branches; texts of files are whole commits. */
class Branches implements GitWriter {
  readonly at = new Map<string, string>();
  /** Of every commit that was pushed by us. */
  readonly messages: string[] = [];
  readonly #commits = new Map<string, { readonly files: Files; readonly email: string }>();
  /** Called once, just before the next push. */
  beforePush: () => void = () => undefined;

  /** Somebody's commit, as the new tip of a branch. */
  push(name: string, letter: string, files: Files, email = person.email): string {
    this.#commits.set(sha(letter), { files, email });
    this.at.set(name, sha(letter));
    return sha(letter);
  }

  readonly head = async ({ branch: name = 'main' }: RepositoryConfig) => this.at.get(name);

  readonly heads = async (repositories: readonly RepositoryConfig[]) =>
    new Map(
      repositories.flatMap(({ name, branch: one = 'main' }) => {
        const found = this.at.get(one);
        return found === undefined ? [] : [[name, { sha: found, ref: `refs/heads/${one}` }] as const];
      }),
    );

  readonly checkout = async (_: RepositoryConfig, commit: string) => {
    const found = this.#commits.get(commit);
    if (found === undefined) return undefined;
    const facts = commitOf(commit);
    const committer = { ...facts.committer, email: found.email };
    return new MemoryWorktree(found.files, { ...facts, committer });
  };

  readonly commit: GitWriter['commit'] = async (
    _,
    { parent, files, author, message },
    { name, expected },
  ) => {
    this.beforePush();
    this.beforePush = () => undefined;
    assert.notEqual(expected, undefined, 'nothing is ever pushed over whatever is there');
    if ((this.at.get(name) ?? null) !== expected) return { kind: 'moved' };
    const all = { ...this.#commits.get(parent)?.files, ...Object.fromEntries(files) };
    const digest = createHash('sha1').update(JSON.stringify(all)).digest('hex');
    this.#commits.set(digest, { files: all, email: author.email });
    this.messages.push(message);
    this.at.set(name, digest);
    return { kind: 'pushed', sha: digest };
  };

  /** As a replica of the host that does not have a commit yet. */
  drop(commit: string): void {
    this.#commits.delete(commit);
  }

  async text(name: string, path: string): Promise<string> {
    return this.#commits.get(this.at.get(name) ?? '')?.files[path] ?? '';
  }
}

const waits = (id = 1) => `waits for the merge of https://git.example/staging/pulls/${id}`;

/** Dev has proved a commit; staging has the file that it changed in a form of its own. */
async function start() {
  const line = new Line();
  const git = new Branches();
  const host = new MemoryGitHost();
  host.headOf = (name) => git.at.get(name) ?? '';
  git.push('main', 'a', { [from]: 'tag: 2\n', [to]: 'tag: 1 # of staging\n' });
  const [dev, staging] = lineConfig().repositories;
  const files = [{ from, to, fields: ['tag'] }];
  const promotion = { by: 'pullRequest', from: 'dev', files, author: ours } as const;
  const config = parseStackConfig({ ...lineConfig(), repositories: [dev, { ...staging, promotion }] });
  const deps = { ...line.deps, config, proposals: { git, writer: git, host } };
  const others = new Line();
  others.bucket = 'other-records';
  const ask = async (all: Parameters<typeof promoteEnvironments>[1]): Promise<string> => {
    const [outcome] = await promoteEnvironments([], all);
    return outcome?.why ?? `${outcome?.kind} ${outcome?.sha?.[0] ?? ''}`;
  };
  const look = async (): Promise<string> => ask(deps);
  /** Of another installation, with records of its own. */
  const lookAs = async (fleet: string): Promise<string> => {
    await others.settle('dev', 'a');
    return ask({ ...deps, ...others.deps, config: { ...config, fleet } });
  };
  const status = () =>
    [...host.statuses.values()].map((by) => `${by.get('trueup/promotion')?.state}`).join(', ');
  await line.settle('dev', 'a');
  return {
    line,
    config,
    git,
    host,
    look,
    lookAs,
    status,
    own: async () => readPromoted(line.store, 'staging'),
  };
}

describe('a branch of proposals', () => {
  test('carries single values, and is made anew over nothing but what we left there', async () => {
    const { git, look, status, host } = await start();
    assert.equal(await look(), waits());
    assert.deepEqual([await git.text(branch, to), status()], ['tag: 2 # of staging\n', 'success']);
    host.change('staging', '1', { state: 'merged' });
    git.push('main', 'a', { [from]: 'tag: 2\n', [to]: 'tag: 2 # of staging\n' });
    assert.equal(await look(), 'https://git.example/staging/pulls/1');
  });

  test('stays theirs where somebody pushed to it before there was a pull request, or after theirs was closed', async () => {
    const { git, look, host } = await start();
    const theirs = git.push(branch, 'e', { [to]: 'tag: 7\n' });
    const left = `somebody pushed to ${branch}: merge or delete it`;
    assert.equal(await look(), left);
    host.open('staging', { branch, sha: theirs });
    assert.equal(await look(), left);
    host.change('staging', '1', { state: 'closed' });
    assert.equal(await look(), left);
    assert.equal(git.at.get(branch), theirs);
    // Merged, it is lost nowhere.
    host.change('staging', '1', { state: 'merged' });
    assert.equal(await look(), waits(2));
  });

  test('stays theirs where they push at the same moment', async () => {
    const { git, look, host } = await start();
    git.beforePush = () => void git.push(branch, 'e', { [to]: 'tag: 7\n' });
    assert.match(await look(), /its branch moved under us/);
    assert.match(await look(), /somebody pushed to trueup\/promote\/default-\w{8}\/staging/);
    assert.deepEqual(
      [git.at.get(branch), (await host.openPullRequests(repositoryNamed('staging'))).length],
      [sha('e'), 0],
    );
  });

  test('stays theirs where the host tells of their commit, and does not give it yet', async () => {
    const { git, look, host } = await start();
    await look();
    const theirs = git.push(branch, 'e', { [to]: 'tag: 7\n' });
    host.change('staging', '1', { head: { branch, sha: theirs, isFork: false } });
    git.drop(theirs);
    await assert.rejects(look(), Retry);
    assert.equal(git.at.get(branch), theirs);
    git.push(branch, 'e', { [to]: 'tag: 7\n' });
    assert.match(await look(), /somebody pushed to its branch, which is theirs now/);
  });

  test('is of one installation alone: two of a repository leave the other one its own', async () => {
    for (const fleet of ['other', 'default']) {
      const { git, look, lookAs, host } = await start();
      assert.deepEqual([await look(), await lookAs(fleet)], [waits(1), waits(2)]);
      const before = [...git.at];
      assert.deepEqual([await look(), await lookAs(fleet)], [waits(1), waits(2)]);
      assert.deepEqual([...git.at], before);
      assert.deepEqual([...git.at.keys()], ['main', branch, branchOf(fleet, 'other-records')]);
      // Pull request and commit say whose they are.
      const name = installationName(fleet, 'other-records');
      assert.ok(git.messages[1]?.endsWith(`\nTrueup-Installation: ${name}`), git.messages[1]);
      assert.ok(host.bodyOf('staging', '2').includes(name));
      host.change('staging', '1', { state: 'closed' });
      assert.match(await look(), /pulls\/1 was closed/);
      assert.equal(await lookAs(fleet), waits(2));
    }
  });

  test('of an older version is left alone where another installation of the same fleet has pushed to it', async () => {
    const { git, look, host, line } = await start();
    const old = 'trueup/promote/default/staging';
    await look();
    git.at.delete(branch);
    // The other one has the same name and the same author, and took the branch for its own.
    const theirs = git.push(old, 'e', { [to]: 'tag: 7\n' }, ours.email);
    host.change('staging', '1', { head: { branch: old, sha: theirs, isFork: false } });
    assert.match(await look(), /somebody pushed to its branch, which is theirs now/);
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1 # of staging\n' });
    await line.settle('dev', 'b');
    assert.match(await look(), /somebody pushed to its branch/);
    host.change('staging', '1', { state: 'closed' });
    assert.equal(await look(), waits(2));
    assert.deepEqual([git.at.get(old), git.at.has(branch)], [theirs, true]);
  });

  test('keeps the name that it had in an older version while its pull request is open, and is known when that ends', async () => {
    const { git, look, host, line, own } = await start();
    const old = 'trueup/promote/staging';
    await look();
    git.at.set(old, git.at.get(branch) ?? '');
    git.at.delete(branch);
    host.change('staging', '1', { head: { branch: old, sha: git.at.get(old) ?? '', isFork: false } });
    assert.equal(await look(), waits(1));
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1 # of staging\n' });
    await line.settle('dev', 'b');
    assert.equal(await look(), waits(1));
    assert.deepEqual([[...git.at.keys()], (await own()).proposal?.sha], [['main', old], sha('b')]);
    host.change('staging', '1', { state: 'closed' });
    assert.match(await look(), /pulls\/1 was closed/);
    git.push('main', 'c', { [from]: 'tag: 4\n', [to]: 'tag: 1 # of staging\n' });
    await line.settle('dev', 'c');
    assert.deepEqual([await look(), git.at.has(branch)], [waits(2), true]);
  });

  test('comes again with other contents only after a person closed it, whatever its head is said to be', async () => {
    const { git, look, host, line } = await start();
    await look();
    git.at.delete(branch);
    for (const told of ['', sha('e')]) {
      host.change('staging', '1', { state: 'closed', head: { branch, sha: told, isFork: false } });
      assert.match(await look(), /pulls\/1 was closed/);
    }
    assert.equal(git.at.has(branch), false);
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1 # of staging\n' });
    await line.settle('dev', 'b');
    assert.equal(await look(), waits(2));
  });

  test('is taken up again where we died before the pull request', async () => {
    const { git, look, host } = await start();
    host.propose = async () => Promise.reject(new Error('killed'));
    await assert.rejects(look(), /killed/);
    Reflect.deleteProperty(host, 'propose');
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1 # of staging\n' });
    assert.equal(await look(), waits());
  });

  test('is taken up again where we died after the push of a newer commit, and not taken for theirs', async () => {
    const { git, line, look, host, own } = await start();
    await look();
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1 # of staging\n' });
    await line.settle('dev', 'b');
    host.propose = async () => Promise.reject(new Error('killed'));
    await assert.rejects(look(), /killed/);
    Reflect.deleteProperty(host, 'propose');
    const head = { branch, sha: git.at.get(branch) ?? '', isFork: false };
    host.change('staging', '1', { head });
    assert.equal(await look(), waits());
    assert.deepEqual([(await own()).proposal?.sha, (await own()).proposal?.head], [sha('b'), head.sha]);
    assert.equal(await look(), waits());
  });
});

describe('the status of a proposal', () => {
  test('is pending as soon as nothing can be planned any more, and green again when it can', async () => {
    const { git, line, look, status, own } = await start();
    await look();
    git.push('main', 'b', { [from]: 'tag: 3\n' });
    await line.settle('dev', 'b');
    assert.match(await look(), /there is no file staging.yaml/);
    assert.equal(status(), 'pending');
    assert.match((await own()).waiting?.why ?? '', /there is no file staging.yaml/);
    assert.ok((await own()).proposal, 'it is remembered');
    git.push('main', 'b', { [from]: 'other: 3\n', [to]: 'tag: 1\n' });
    assert.match(await look(), /has no value tag/);
    git.push('main', 'b', { [from]: 'tag: 2\n', [to]: 'tag: 1 # of staging\n' });
    assert.equal(await look(), waits());
    assert.equal(status(), 'success');
  });

  test('is told once', async () => {
    const { git, line, host, look } = await start();
    await look();
    git.push('main', 'b', { [from]: 'tag: 3\n' });
    await line.settle('dev', 'b');
    for (let again = 0; again < 3; again += 1) await look();
    assert.equal(host.calls.filter((call) => call.startsWith('status')).length, 2);
  });
});

describe('a merge with commits of others', () => {
  /** They push to the branch, and merge that. */
  async function merged(text: string) {
    const world = await start();
    const { git, host, look } = world;
    await look();
    const theirs = git.push(branch, 'e', { [from]: 'tag: 2\n', [to]: text });
    host.change('staging', '1', { head: { branch, sha: theirs, isFork: false } });
    assert.match(await look(), /somebody pushed to its branch, which is theirs now/);
    git.push('main', 'f', { [from]: 'tag: 2\n', [to]: text });
    host.change('staging', '1', { state: 'merged' });
    return world;
  }

  test('is a promotion where all that was proposed is there, such as after the host brought the branch up to date', async () => {
    const { look, own, line, config } = await merged('tag: 2\n');
    assert.equal(await look(), 'https://git.example/staging/pulls/1');
    assert.equal((await own()).commit?.sha, sha('a'));
    assert.deepEqual(
      line.bus.events.map(({ type }) => type),
      ['Promoted'],
    );
    // What was merged is a commit of its own: the one that was proposed is never followed as such.
    await line.follow('staging', 'f', { ref: 'refs/heads/main' });
    const rows = await environmentRows(line.store, config.repositories);
    assert.deepEqual([rows[1]?.promoted?.sha, rows[1]?.waiting], [sha('a'), undefined]);
  });

  test('is none where something else is: it is said, and that commit is not proposed again', async () => {
    const { look, own, line, host, git } = await merged('tag: 1.5\n');
    assert.equal(
      await look(),
      'https://git.example/staging/pulls/1 was merged with commits of others: look what came of it',
    );
    assert.equal(await look(), 'same ');
    const { commit, waiting } = await own();
    assert.equal(commit, undefined);
    assert.match(waiting?.why ?? '', /with commits of others/);
    assert.deepEqual(line.bus.events, []);
    assert.equal((await host.openPullRequests(repositoryNamed('staging'))).length, 0);
    git.push('main', 'b', { [from]: 'tag: 3\n', [to]: 'tag: 1.5\n' });
    await line.settle('dev', 'b');
    assert.equal(await look(), waits(2));
  });
});

function repositoryNamed(name: string): RepositoryConfig {
  const found = parseStackConfig(lineConfig()).repositories.find((one) => one.name === name);
  assert.ok(found);
  return found;
}
