import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { GitHosts } from '../../../adapters/git-hosts.ts';
import { Retry } from '../../../core/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { agit } from '../../host-apis/gitea-api.ts';
import { hostKinds } from '../../host-apis/host-kinds.ts';
import { hostStarter, type StartedHost } from '../../host-apis/host-starter.ts';
import { shaOf, type WorldReview } from '../../host-apis/host-world.ts';
import { token } from '../../host-apis/world-under-test.ts';

const start = hostStarter();
const begin = (name: string) => start(hostKinds[name] ?? assert.fail(name));
const sha = shaOf('one');

async function approvers(started: StartedHost, reviews: readonly Partial<WorldReview>[]): Promise<unknown> {
  const { host, repository, world, open } = started;
  const id = open({ branch: 'one' });
  const review = { pull: Number(id), by: 'grace', verdict: 'approved', sha, mayWrite: true } as const;
  for (const one of reviews) world.reviews.push({ ...review, ...one });
  return (await host.approvals(repository, id)).map(({ by }) => by);
}

for (const name of ['github', 'gitea']) {
  test(`${name}: an approval counts while it stands, of who may write`, async () => {
    const grace = { by: 'grace' };
    assert.deepEqual(await approvers(await begin(name), [grace, { ...grace, verdict: 'commented' }]), [
      'grace',
    ]);
    assert.deepEqual(await approvers(await begin(name), [grace, { ...grace, verdict: 'changes' }]), []);
    assert.deepEqual(await approvers(await begin(name), [{ ...grace, verdict: 'dismissed' }]), []);
    const changed = [{ ...grace, verdict: 'changes' as const }, grace];
    assert.deepEqual(await approvers(await begin(name), changed), ['grace']);
    assert.deepEqual(await approvers(await begin(name), [{ by: 'mallory', mayWrite: false }]), []);
  });
}

test('gitea: what somebody pushed for review is no branch of the repository', async () => {
  const { host, repository, open } = await begin('gitea');
  const id = open({ branch: agit });
  assert.equal((await host.pullRequest(repository, id))?.head.isFork, true);
});

test('tokens go out as each host takes them', async () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const wanted = {
    github: `token ${token}`,
    gitea: `token ${token}`,
    gitlab: `Bearer ${token}`,
    'bitbucket, token of an account': basic(`trueup@example.com:${token}`),
    'bitbucket, token of a repository': `Bearer ${token}`,
    'bitbucket-data-center': `Bearer ${token}`,
    'azure-devops': basic(`:${token}`),
  };
  for (const [name, authorization] of Object.entries(wanted)) {
    const { host, repository, server } = await begin(name);
    await host.openPullRequests(repository);
    assert.deepEqual(server.authorizations, [authorization], name);
  }
});

test('azure-devops: a status stands on the open pull request as well, where it can be required', async () => {
  const { host, repository, world } = await begin('azure-devops');
  world.open({ branch: 'two' });
  world.open({ branch: 'one', sha });
  world.open({ branch: 'old', sha, state: 'closed' });
  await host.status(repository, sha, { context: 'trueup/preview', state: 'success', description: 'ok' });
  assert.deepEqual(
    world.statuses.map(({ context, pull }) => [context, pull]),
    [
      ['trueup/preview', undefined],
      ['trueup/preview', 2],
    ],
  );
});

test('github: an App asks for one right at a time, and anew once its token is refused', async (context) => {
  const started = await begin('github');
  const { server, world, repository } = started;
  const real = globalThis.fetch;
  const rights: string[] = [];
  context.mock.method(globalThis, 'fetch', async (address: string | URL, init: RequestInit) => {
    if (!String(address).endsWith('/access_tokens')) return real(address, init);
    rights.push(typeof init.body === 'string' ? init.body : '');
    const answer = { token: `ghs_${rights.length}`, expires_at: '2026-11-23T13:00:00Z' };
    return new Response(JSON.stringify(answer), { status: 201 });
  });
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const hosts = new GitHosts({
    secrets: { get: async () => ({ current: privateKey }) },
    clock: new ManualClock(),
  });
  const githubApp = { appId: 12, installationId: 34, privateKeySecret: 'git/app' };
  const { tokenSecret: _unused, ...rest } = repository;
  const byApp = { ...rest, githubApp: { ...githubApp, apiUrl: `${server.origin}/api/v3` } };
  await hosts.openPullRequests(byApp);
  await hosts.status(byApp, sha, { context: 'trueup', state: 'success', description: '' });
  await hosts.openPullRequests(byApp);
  assert.deepEqual(rights, [
    '{"permissions":{"contents":"read","pull_requests":"write"}}',
    '{"permissions":{"statuses":"write"}}',
  ]);
  server.fault = { status: 401, headers: {}, json: { message: 'Bad credentials' } };
  await assert.rejects(hosts.openPullRequests(byApp), Retry);
  await hosts.openPullRequests(byApp);
  assert.equal(rights.length, 3);
  assert.equal(server.authorizations.at(-1), 'token ghs_3');
  assert.equal(world.statuses.length, 1);
});
