import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocked, Retry } from '../../../core/errors.ts';
import { hostKinds } from '../../host-apis/host-kinds.ts';
import type { HostFault } from '../../host-apis/host-server.ts';
import { hostStarter, type StartedHost } from '../../host-apis/host-starter.ts';
import { shaOf } from '../../host-apis/host-world.ts';
import { token } from '../../host-apis/world-under-test.ts';

const start = hostStarter();
const proposal = { branch: 'trueup/images', into: 'main', title: 'Update web', body: 'to 1.2.0' };
const comment = { mark: '<!-- trueup: preview -->', text: 'two objects change' };
const rest = Object.entries(hostKinds).filter(([name]) => name !== 'codecommit');

const refused = (status: number, headers: Record<string, string> = {}, json: unknown = { message: 'no' }) => {
  return { status, headers, json } satisfies HostFault;
};

/** What was thrown, after a look whether it tells the token. */
async function thrown(work: Promise<unknown>): Promise<Blocked | Retry> {
  const error: unknown = await work.then(
    () => assert.fail('nothing was thrown'),
    (each: unknown) => each,
  );
  assert.ok(error instanceof Blocked || error instanceof Retry, String(error));
  assert.ok(!`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`.includes(token));
  assert.equal(error.subject, 'repository fleet');
  return error;
}

for (const [name, kind] of rest) {
  const broken = async (fault: HostFault): Promise<Blocked | Retry> => {
    const { host, repository, server } = await start(kind);
    server.fault = fault;
    return thrown(host.pullRequest(repository, '1'));
  };

  test(`${name}: a refusal says which secret and which right`, async () => {
    const unknown = await broken(refused(401));
    assert.ok(unknown instanceof Blocked);
    assert.match(unknown.message, /refuses the token in secret git\/token \(401/);
    const weak = await broken(refused(403));
    assert.ok(weak instanceof Blocked);
    assert.match(weak.message, /the token in secret git\/token \(403.*; give it the right \S/);
    const { host, repository, world } = await start(kind);
    world.isHidden = true;
    const asking = [() => host.pullRequest(repository, '1'), () => host.propose(repository, proposal)];
    for (const ask of asking) {
      const hidden = await thrown(ask());
      assert.ok(hidden instanceof Blocked);
      assert.match(
        hidden.message,
        /no such repository, or does not show it to the token in secret git\/token/,
      );
    }
  });

  test(`${name}: a host that is busy or away is asked again, when it says`, async () => {
    const limited = await broken(refused(429, { 'retry-after': '31' }));
    assert.ok(limited instanceof Retry);
    assert.equal(limited.afterSeconds, 31);
    const until = new Date(Date.parse('2026-11-23T12:00:00Z') + 90_000).toUTCString();
    const dated = await broken(refused(503, { 'retry-after': until }));
    assert.ok(dated instanceof Retry);
    assert.equal(dated.afterSeconds, 90);
    for (const fault of [refused(500, {}, '<html>'), 'drop'] as const) {
      const away = await broken(fault);
      assert.ok(away instanceof Retry);
      assert.equal(away.afterSeconds, undefined);
    }
  });

  test(`${name}: what is no answer of its API leads nowhere`, async () => {
    const page = await broken(refused(200, {}, '<html>Sign in</html>'));
    assert.ok(page instanceof Blocked);
    assert.match(page.message, /check host\.apiUrl/);
    const { host, repository, server } = await start(kind);
    server.fault = refused(301, { location: `${server.origin}/elsewhere` }, undefined);
    const moved = await thrown(host.pullRequest(repository, '1'));
    assert.ok(moved instanceof Blocked);
    assert.match(moved.message, /moved/);
    assert.equal(server.requests.length, 1);
  });
}

for (const [name, kind] of Object.entries(hostKinds)) {
  const lose = async (started: StartedHost, work: () => Promise<unknown>): Promise<void> => {
    Object.assign(started.server, { faultsWritesOnly: true, fault: 'lost' });
    assert.ok((await thrown(work())) instanceof Retry);
    await work();
  };

  test(`${name}: what was done though its answer was lost is not done again`, async () => {
    const started = await start(kind);
    const { host, repository, world } = started;
    await lose(started, () => host.propose(repository, proposal));
    assert.deepEqual(
      world.pulls.map(({ state }) => state),
      ['open'],
    );
    await lose(started, () => host.comment(repository, '1', comment));
    assert.equal(world.comments.length, 1);
  });

  // CodeCommit lets two stand beside each other.
  test(
    `${name}: two who propose at once share one pull request`,
    { skip: name === 'codecommit' },
    async () => {
      const { host, repository, world, server } = await start(kind);
      server.beforeWrite = () => {
        server.beforeWrite = () => undefined;
        world.open({ branch: proposal.branch, title: 'of the other', author: world.self });
      };
      const pull = await host.propose(repository, proposal);
      assert.equal(pull.title, proposal.title);
      assert.deepEqual(
        world.pulls.map(({ title, body }) => [title, body]),
        [[proposal.title, proposal.body]],
      );
    },
  );
}

test('github: its limits are kept, the one without a time too', async () => {
  const { host, repository, server } = await start(hostKinds['github'] ?? assert.fail());
  const reset = String(Date.parse('2026-11-23T12:05:00Z') / 1000);
  server.fault = refused(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset });
  const primary = await thrown(host.openPullRequests(repository));
  assert.ok(primary instanceof Retry);
  assert.equal(primary.afterSeconds, 300);
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  server.fault = refused(403, {}, { message });
  const secondary = await thrown(host.openPullRequests(repository));
  assert.ok(secondary instanceof Retry);
  assert.equal(secondary.afterSeconds, 60);
});

test('azure-devops: its page to sign in is a refusal of the token', async () => {
  const kind = hostKinds['azure-devops'] ?? assert.fail();
  for (const status of [203, 302]) {
    const { host, repository, server } = await start(kind);
    server.fault = refused(status, { location: 'https://login.example/' }, '<html>Sign in</html>');
    const error = await thrown(host.openPullRequests(repository));
    assert.ok(error instanceof Blocked);
    assert.match(error.message, /refuses the token in secret git\/token/);
  }
});

test('codecommit: AWS says what is missing', async () => {
  const kind = hostKinds['codecommit'] ?? assert.fail();
  const { host, repository, server, world } = await start(kind);
  server.fault = refused(400, {}, { __type: 'AccessDeniedException', message: 'no' });
  const denied = await thrown(host.pullRequest(repository, '1'));
  assert.ok(denied instanceof Blocked);
  assert.match(denied.message, /codecommit:GetPullRequest/);
  server.fault = refused(400, {}, { __type: 'ThrottlingException', message: 'slowly' });
  assert.ok((await thrown(host.pullRequest(repository, '1'))) instanceof Retry);
  world.isHidden = true;
  assert.match((await thrown(host.openPullRequests(repository))).message, /refuses ListPullRequests/);
  world.isHidden = false;
  world.open({ branch: 'one', sha: shaOf('one') });
  assert.equal((await host.openPullRequests(repository)).length, 1);
});
