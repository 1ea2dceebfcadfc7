import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStackConfig } from '../../core/contract/config.ts';
import type { PollRequest } from '../../core/contract/events.ts';
import { keys } from '../../core/contract/keys.ts';
import { trackedRef, type ResolvedRef } from '../../core/contract/tracked-ref.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { askForPolls, poll, type PollDeps } from '../../core/poll.ts';
import { traceOf } from '../../core/model/trace.ts';
import { world } from '../fakes/hook-world.ts';

const [old, fresh] = ['a'.repeat(40), 'b'.repeat(40)];
const config = parseStackConfig({
  repositories: [
    { name: 'apps', url: 'https://git.example.com/acme/apps' },
    { name: 'apps-tag', url: 'https://git.example.com/acme/apps', tag: 'stable' },
    { name: 'other', url: 'https://git.example.com/acme/other' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
});

/** A host whose refs are given, and how often it was asked; `follow` is what the snapshot function leaves behind. */
function pollWorld(heads: Readonly<Record<string, string>> | Error) {
  const { deps, bus, store, clock, record } = world();
  const asked: string[][] = [];
  const git: PollDeps['git'] = {
    heads: async (repositories) => {
      asked.push(repositories.map(({ name }) => name));
      if (heads instanceof Error) throw heads;
      const found = Object.entries(heads).map(([name, sha]): [string, ResolvedRef] => [
        name,
        { sha, ref: 'refs/heads/main' },
      ]);
      return new Map(found);
    },
  };
  const follow = async (name: string, sha: string, isRefused = false): Promise<void> => {
    const repository = config.repositories.find((known) => known.name === name);
    assert.ok(repository);
    const ref = trackedRef(repository);
    const state = {
      version: 1,
      seq: 1,
      repository: name,
      ref,
      head: { sha, at: '2026-11-23T11:00:00.000Z' },
      ...(isRefused && { refused: true }),
    };
    const text = JSON.stringify({ ...state, failing: false, applications: {} });
    await store.put(keys.repository(name, ref), text, 'any');
  };
  return { deps: { ...deps, git, config }, bus, clock, record, asked, follow };
}

describe('a poll', () => {
  test('publishes a push for what moved unheard, after one question for all of a remote', async () => {
    const { deps, bus, asked, follow, record, clock } = pollWorld({ apps: fresh, 'apps-tag': old });
    await follow('apps', old);
    await follow('apps-tag', old);
    const outcome = await poll(['apps', 'apps-tag'], deps);
    assert.equal(outcome, 'missed: apps aaaaaaa..bbbbbbb');
    assert.deepEqual(asked, [['apps', 'apps-tag']]);
    const id = `apps-${clock.now()}`;
    assert.deepEqual(bus.events, [
      {
        type: 'PushReceived',
        detail: {
          version: 1,
          at: '2026-11-23T12:00:00.000Z',
          trace: traceOf('push', '2026-11-23T12:00:00.000Z', 'poll', id),
          deliveryId: id,
          provider: 'poll',
          repository: 'apps',
          ref: 'refs/heads/main',
          before: old,
          after: fresh,
          deleted: false,
        },
      },
    ]);
    assert.equal((await record(keys.delivery('poll', id)))?.state, 'published');
  });

  test('publishes what was never followed at all', async () => {
    const { deps, bus } = pollWorld({ apps: fresh });
    assert.equal(await poll(['apps'], deps), 'missed: apps 0000000..bbbbbbb');
    assert.equal(bus.events.length, 1);
  });

  test('publishes again what is still not followed at the next poll', async () => {
    const { deps, bus, clock } = pollWorld({ apps: fresh });
    await poll(['apps'], deps);
    clock.advance(15 * 60_000);
    await poll(['apps'], deps);
    assert.equal(bus.events.length, 2);
  });

  test('finds nothing where all is followed, and where a branch is not there', async () => {
    const { deps, bus, follow } = pollWorld({ apps: old });
    await follow('apps', old);
    assert.equal(await poll(['apps', 'apps-tag'], deps), 'nothing was missed');
    assert.equal(await poll(['gone'], deps), 'its repositories are not configured any more');
    assert.deepEqual(bus.events, []);
  });

  test('leaves a host alone that says "too many requests"', async () => {
    const { deps, asked, bus } = pollWorld(new Retry({ subject: 'repository apps', message: 'answers 429' }));
    const said = await poll(['apps'], deps);
    assert.equal(said, 'not asked: repository apps: answers 429; the next poll asks again');
    assert.equal(asked.length, 1);
    assert.deepEqual(bus.events, []);
  });

  test('tells once of a host that refuses, for each repository there', async () => {
    const refusal = new Blocked({ subject: 'repository apps', message: 'refuses the token' });
    const { deps, bus, follow } = pollWorld(refusal);
    await follow('apps', old);
    await follow('apps-tag', old, true);
    const said = await poll(['apps', 'apps-tag'], deps);
    assert.equal(said, 'refused: repository apps: refuses the token; told of apps');
    const told = bus.events.map(({ detail }) => 'before' in detail && [detail.before, detail.after]);
    assert.deepEqual(told, [[old, old]]);
  });

  test('looks at a head again that could not be read, though it has not moved', async () => {
    const { deps, follow } = pollWorld({ apps: old });
    await follow('apps', old, true);
    assert.equal(await poll(['apps'], deps), 'missed: apps aaaaaaa..aaaaaaa');
  });
});

test('the fleet becomes one request for each remote, spread over half of the time until the next', async () => {
  const sent: { request: PollRequest; delay: number }[] = [];
  const queue = {
    poll: async (request: PollRequest, delay: number) => void sent.push({ request, delay }),
  };
  assert.equal(await askForPolls(config, queue), 2);
  assert.deepEqual(
    sent.map(({ request }) => request.poll === 'remote' && request.repositories),
    [['apps', 'apps-tag'], ['other']],
  );
  sent.length = 0;
  const charts = [{ url: 'https://charts.example', hosts: [], internal: false }];
  await askForPolls({ ...config, sources: { ...config.sources, charts } }, queue);
  assert.deepEqual(sent.at(-1), { request: { version: 1, poll: 'charts' }, delay: 449 });
  sent.length = 0;
  for (let pollMinutes = 5; pollMinutes <= 1440; pollMinutes += 205) {
    await askForPolls({ ...config, pollMinutes }, queue);
    assert.ok(sent.splice(0).every(({ delay }) => delay >= 0 && delay < Math.min(900, pollMinutes * 30)));
  }
});
