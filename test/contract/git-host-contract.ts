import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked } from '../../core/errors.ts';
import type { GitHost } from '../../core/host-ports.ts';

interface Opened {
  readonly branch: string;
  readonly isFork?: boolean;
  readonly sha?: string;
}

/** A host, and how people use it beside us. */
export interface HostUnderTest {
  readonly host: GitHost;
  readonly repository: RepositoryConfig;
  /** Somebody opens a pull request; gives its id. */
  readonly open: (pull: Opened) => string;
  readonly merge: (id: string) => void;
  /** As hosts do after a merge, and people after they closed one. */
  readonly deleteBranch: (branch: string) => void;
  /** Texts of all comments, oldest first. */
  readonly comments: (id: string) => readonly string[];
  readonly say: (id: string, text: string) => void;
  readonly approve: (id: string, by: string, sha: string) => void;
  /** State of each commit status by its context; undefined: the host has none. */
  readonly statuses?: (sha: string) => ReadonlyMap<string, string>;
  /** State of a deployment; undefined: the host has none. */
  readonly deployed?: (environment: string, sha: string) => string | undefined;
  readonly hasLabels: boolean;
  readonly hasForks: boolean;
  readonly body: (id: string) => string;
  /** Requests that wrote something, where they are counted. */
  readonly writes?: () => number;
  /** As many characters as a comment may have, where there is a limit. */
  readonly longestComment?: number;
}

const sha = 'c0ffee'.padEnd(40, '0');
const mark = '<!-- trueup: preview -->';
const proposal = {
  branch: 'trueup/images',
  into: 'main',
  title: 'Update web to 1.2.0',
  body: 'Image `web` **1.2.0**\n\n- built from `abc`',
};

/** What asking a Git host promises, for the fake and for each adapter alike. `what` names the host. */
export function gitHostContract(what: string, make: () => Promise<HostUnderTest>): void {
  proposing(what, make);
  reading(what, make);
  commenting(what, make);
  reporting(what, make);
}

function proposing(what: string, make: () => Promise<HostUnderTest>): void {
  test(`${what}: a proposal is opened once, kept current, and opened anew after it is closed`, async () => {
    const { host, repository, open, body, writes, hasLabels, hasForks } = await make();
    // Of the same branch's name, but of somebody else's repository.
    if (hasForks) open({ branch: proposal.branch, isFork: true });
    const labels = ['images', 'trueup'];
    const first = await host.propose(repository, { ...proposal, labels });
    assert.equal(first.state, 'open');
    assert.deepEqual(
      [first.head.branch, first.base.branch, first.head.isFork],
      ['trueup/images', 'main', false],
    );
    assert.match(first.head.sha, /^[0-9a-f]{40}$/);
    assert.match(first.url, /^https?:\/\//);
    assert.deepEqual(first.labels, hasLabels ? labels : []);
    const written = writes?.();
    assert.deepEqual(await host.propose(repository, { ...proposal, labels }), first);
    assert.equal(writes?.(), written);

    const newer = { ...proposal, title: 'Update web to 1.3.0', body: 'Image `web` 1.3.0' };
    const second = await host.propose(repository, newer);
    assert.deepEqual([second.id, second.title], [first.id, newer.title]);
    assert.equal(body(first.id), newer.body);
    assert.equal((await host.pullRequest(repository, first.id))?.title, newer.title);

    await host.close(repository, first.id);
    const third = await host.propose(repository, proposal);
    assert.notEqual(third.id, first.id);
    assert.equal((await host.pullRequestFrom(repository, proposal.branch))?.id, third.id);
  });

  test(`${what}: closing is done once, and takes no merge back`, async () => {
    const { host, repository, open, merge, writes } = await make();
    const [one, other] = [open({ branch: 'one' }), open({ branch: 'other' })];
    merge(other);
    await host.close(repository, one);
    const written = writes?.();
    await host.close(repository, one);
    await host.close(repository, other);
    assert.equal(writes?.(), written);
    assert.equal((await host.pullRequest(repository, one))?.state, 'closed');
    assert.equal((await host.pullRequest(repository, other))?.state, 'merged');
    await assert.rejects(host.close(repository, '4711'), Blocked);
  });
}

function reading(what: string, make: () => Promise<HostUnderTest>): void {
  test(`${what}: pull requests are told as they stand`, async () => {
    const { host, repository, open } = await make();
    const id = open({ branch: 'feature/süß', sha });
    const pull = await host.pullRequest(repository, id);
    assert.deepEqual(pull?.head, { branch: 'feature/süß', sha, isFork: false });
    assert.deepEqual([pull.id, pull.state, pull.base.branch, pull.author], [id, 'open', 'main', 'ada']);
    for (const none of ['4711', 'x', '../1', '']) {
      assert.equal(await host.pullRequest(repository, none), undefined);
    }
    assert.equal(await host.pullRequestFrom(repository, 'nobody'), undefined);
  });

  test(`${what}: the newest hundred that are open are listed, forks told apart`, async () => {
    const { host, repository, open, merge, hasForks } = await make();
    const isFork = (at: number) => hasForks && at === 103;
    const ids = Array.from({ length: 104 }, (_, at) => open({ branch: `b${at}`, isFork: isFork(at) }));
    merge(ids[102] ?? '');
    const pulls = await host.openPullRequests(repository);
    assert.deepEqual(
      pulls.map(({ id }) => id),
      ids.toSpliced(102, 1).toReversed().slice(0, 100),
    );
    assert.deepEqual(
      pulls.filter(({ head }) => head.isFork).map(({ id }) => id),
      hasForks ? [ids[103]] : [],
    );
  });

  test(`${what}: the newest from a branch is found among a hundred others, in whatever state`, async () => {
    const { host, repository, open, merge, deleteBranch, hasForks } = await make();
    const old = open({ branch: 'topic' });
    merge(old);
    const id = open({ branch: 'topic' });
    for (let at = 0; at < 60; at += 1) open({ branch: `b${at}` });
    if (hasForks) open({ branch: 'topic', isFork: true });
    merge(id);
    deleteBranch('topic');
    const pull = await host.pullRequestFrom(repository, 'topic');
    assert.deepEqual([pull?.id, pull?.state, pull?.head.branch], [id, 'merged', 'topic']);
  });

  test(`${what}: approvals are told with who gave them`, async () => {
    const { host, repository, open, approve } = await make();
    const id = open({ branch: 'one', sha });
    assert.deepEqual(await host.approvals(repository, id), []);
    approve(id, 'grace', sha);
    const approvals = await host.approvals(repository, id);
    assert.deepEqual(
      approvals.map(({ by }) => by),
      ['grace'],
    );
    for (const approval of approvals) assert.ok(approval.sha === undefined || approval.sha === sha);
    await assert.rejects(host.approvals(repository, '4711'), Blocked);
  });
}

function commenting(what: string, make: () => Promise<HostUnderTest>): void {
  test(`${what}: one comment is written and kept current beside those of others`, async () => {
    const { host, repository, open, comments, say, writes } = await make();
    const id = open({ branch: 'one' });
    say(id, 'Looks good');
    const comment = { mark, text: `${mark}\n### Preview\n\n2 objects change` };
    assert.equal(await host.comment(repository, id, comment), 'written');
    const written = writes?.();
    assert.equal(await host.comment(repository, id, comment), 'unchanged');
    assert.equal(writes?.(), written);
    // The mark may be left to the host.
    assert.equal(await host.comment(repository, id, { mark, text: '### Preview\n\nnothing' }), 'written');
    const [first = '', own = '', ...rest] = comments(id);
    assert.deepEqual([first, rest], ['Looks good', []]);
    assert.match(own, /trueup: preview/);
    assert.match(own, /### Preview\n\nnothing$/);
    const other = { mark: '<!-- trueup: environment -->', text: 'https://pr-1.example' };
    assert.equal(await host.comment(repository, id, other), 'written');
    assert.equal(comments(id).length, 3);
  });

  test(`${what}: what somebody else wrote under our mark is left alone`, async () => {
    const { host, repository, open, comments, say } = await make();
    const id = open({ branch: 'one' });
    await host.comment(repository, id, { mark, text: 'ours' });
    const [own = ''] = comments(id);
    const second = open({ branch: 'two' });
    const forged = own.replace('ours', 'all is well');
    say(second, forged);
    assert.equal(await host.comment(repository, second, { mark, text: 'ours' }), 'written');
    assert.deepEqual(comments(second), [forged, own]);
    assert.equal(await host.comment(repository, second, { mark, text: 'ours' }), 'unchanged');
  });

  test(`${what}: our comment is found behind a hundred others, and cut to what fits`, async () => {
    const { host, repository, open, comments, say, longestComment } = await make();
    const id = open({ branch: 'one' });
    for (let at = 0; at < 120; at += 1) say(id, `word ${at}`);
    const count = (longestComment ?? 1_000) / 20;
    const lines = Array.from({ length: count }, (_, at) => `- line ${at} of the details`);
    const text = ['<details>', '', '```diff', ...lines, '```', '</details>'].join('\n');
    assert.equal(await host.comment(repository, id, { mark, text }), 'written');
    assert.equal(await host.comment(repository, id, { mark, text }), 'unchanged');
    const own = comments(id).at(-1) ?? '';
    assert.equal(comments(id).length, 121);
    if (longestComment === undefined) return;
    assert.ok(own.length <= longestComment, `${own.length}`);
    const end = own.slice(-60);
    assert.match(end, /\n```\n<\/details>\n\n\*The rest does not fit here\.\*\s*$/);
  });
}

function reporting(what: string, make: () => Promise<HostUnderTest>): void {
  test(`${what}: a commit's statuses are told, one for each context`, async () => {
    const { host, repository, statuses } = await make();
    const status = { context: 'trueup/preview', description: `waits for ${'x'.repeat(400)}` };
    await host.status(repository, sha, { ...status, state: 'pending' });
    await host.status(repository, sha, { ...status, state: 'pending' });
    await host.status(repository, sha, { ...status, state: 'success', url: 'https://trueup.example/runs/1' });
    const long = `trueup/${'cluster-'.repeat(10)}`;
    await host.status(repository, sha, { context: long, state: 'failure', description: 'no' });
    await host.status(repository, sha, { context: 'trueup/prod', state: 'overtaken', description: 'older' });
    // Of which not every version of Bitbucket Data Center knows anything.
    const overtaken = what.includes('data-center') ? 'failure' : 'overtaken';
    if (statuses !== undefined)
      assert.deepEqual([...statuses(sha).values()], ['success', 'failure', overtaken]);
  });

  test(`${what}: a deployment goes from pending to success`, async () => {
    const { host, repository, deployed, writes } = await make();
    const deployment = {
      environment: 'prod',
      ref: 'refs/heads/main',
      sha,
      description: 'web',
      url: 'https://a.example',
    };
    if (deployed === undefined) {
      assert.equal(await host.deployment(repository, { ...deployment, state: 'success' }), 'unsupported');
      return;
    }
    for (const state of ['pending', 'in_progress', 'success'] as const) {
      assert.equal(await host.deployment(repository, { ...deployment, state }), 'recorded');
    }
    const written = writes?.();
    await host.deployment(repository, { ...deployment, state: 'success' });
    assert.equal(writes?.(), written);
    assert.equal(deployed('prod', sha), 'success');
  });
}
