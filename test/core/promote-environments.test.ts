import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStackConfig } from '../../core/contract/config.ts';
import { installationName } from '../../core/contract/installation.ts';
import { promotionBranch } from '../../core/contract/promotion.ts';
import { promotionMessageSchema } from '../../core/contract/events.ts';
import { keys } from '../../core/contract/keys.ts';
import { Stop } from '../../core/errors.ts';
import { isoTime } from '../../core/model/time.ts';
import { PromotedGit } from '../../core/promoted-git.ts';
import { promoteEnvironments } from '../../core/promote-environments.ts';
import { environmentRows } from '../../core/view/environments.ts';
import { MemoryGit } from '../fakes/memory-git.ts';
import { MemoryGitHost } from '../memory-git-host.ts';
import { Line, lineConfig, sha } from './promotions/line.ts';

const minutes = 60_000;

describe('a commit', () => {
  test('goes from environment to environment, one at a time, each when the one before is healthy with it', async () => {
    const line = new Line();
    assert.deepEqual(await line.look(), {
      staging: 'waits: dev has no commit yet',
      prod: 'waits: staging has no commit yet',
    });
    await line.settle('dev', 'a');
    assert.deepEqual(await line.look(), { staging: 'promoted a', prod: 'waits: staging has no commit yet' });
    assert.deepEqual(line.polls, [{ version: 1, poll: 'remote', repositories: ['staging'] }]);
    const rows = await environmentRows(line.store, line.config.repositories);
    assert.deepEqual([rows[1]?.environment, rows[1]?.waiting?.why], ['staging', 'is about to be followed']);
    const at = '2026-11-23T12:00:00.000Z';
    const said = { version: 1, at, environment: 'staging', from: 'dev', returned: false };
    assert.deepEqual(line.bus.events, [
      { type: 'Promoted', detail: { ...said, sha: sha('a'), by: 'trueup' } },
    ]);
    await line.follow('staging', 'a');
    assert.match((await line.look())['prod'] ?? '', /staging is not good yet: web on staging has it not yet/);
    await line.run('staging');
    assert.deepEqual(await line.look(), { staging: 'same a', prod: 'promoted a' });
    assert.deepEqual(await line.look(), { staging: 'same a', prod: 'same a' });
  });

  test('never skips one: while the one before is to follow another commit, what it has is old', async () => {
    const line = new Line();
    await line.settle('dev', 'a');
    await line.look();
    await line.settle('staging', 'a');
    await line.settle('dev', 'b');
    assert.deepEqual(await line.look(), {
      staging: 'promoted b',
      prod: 'waits: staging is about to follow bbbbbbb',
    });
    await assert.rejects(
      line.approve('prod', sha('b')),
      /can get the commit that staging has now \(none yet\)/,
    );
    await line.settle('staging', 'b');
    assert.equal((await line.look())['prod'], 'promoted b');
  });

  const bad: readonly [string, (line: Line) => Promise<void>, RegExp][] = [
    ['Degraded', async (line) => line.run('dev', 'Degraded'), /web on dev is Degraded/],
    ['still Progressing', async (line) => line.run('dev', 'Progressing'), /dev is Progressing/],
    ['rolled back', async (line) => line.point('dev', 'c', pinned), /dev is \w+ .*ada/],
    [
      'rolled back until just now, and not at its commit again',
      async (line) => {
        await line.point('dev', 'c', { pin: { ...pinned.pin, until: '2026-11-23T12:00:00.000Z' } });
        await line.run('dev');
      },
      /dev is \w+ .*ada/,
    ],
    ['not applied', async (line) => line.point('dev', 'a'), /dev has it not yet/],
    ['not rendered', async (line) => line.follow('dev', 'a', { failing: true }), /cannot follow aaaaaaa/],
    [
      'half followed',
      async (line) => line.follow('dev', 'a', { moving: { sha: sha('b'), at: '', targets: [] } }),
      /is being moved/,
    ],
    [
      'of no target',
      async (line) => line.follow('dev', 'a', { applications: {} }),
      /nothing that could show/,
    ],
    [
      'without a pointer',
      async (line) => void (await line.store.delete(keys.desired(web), 'any')),
      /has no desired state of it yet/,
    ],
    [
      'of unreadable records',
      async (line) => void (await line.store.put(keys.inventory(web), '{}', 'any')),
      /its records cannot be read/,
    ],
  ];
  for (const [name, spoil, why] of bad) {
    test(`stays where it is: ${name}`, async () => {
      const line = new Line();
      await line.settle('dev', 'a');
      await spoil(line);
      assert.match((await line.look())['staging'] ?? '', why);
      assert.equal(await line.promoted('staging'), undefined);
      // A person's consent opens no other gate.
      await line.approve('staging');
      assert.match((await line.look())['staging'] ?? '', why);
    });
  }

  test('soaks, also after health that returned; one that changes nothing of the environment soaks with it', async () => {
    const line = new Line({ soak: '30m' });
    await line.settle('dev', 'a');
    line.clock.advance(20 * minutes);
    await line.run('dev');
    line.clock.advance(20 * minutes);
    assert.match((await line.look())['staging'] ?? '', /soaks until 2026-11-23T12:50:00/);
    await line.follow('dev', 'b', { same: true });
    line.clock.advance(10 * minutes);
    assert.equal((await line.look())['staging'], 'promoted b');
  });

  test('is held by alarms that are not OK, or not for as long as it soaks, or not there', async () => {
    const line = new Line({ soak: '30m', alarms: ['errors'] });
    await line.settle('dev', 'a');
    line.clock.advance(30 * minutes);
    assert.match((await line.look())['staging'] ?? '', /there is no alarm errors/);
    line.alarms.set('errors', { state: 'ALARM', since: 0 });
    assert.match((await line.look())['staging'] ?? '', /stopped by the alarm errors: ALARM/);
    line.alarms.set('errors', { state: 'OK', since: line.clock.now() });
    assert.match((await line.look())['staging'] ?? '', /the alarm errors soaks until/);
    line.clock.advance(30 * minutes);
    assert.equal((await line.look())['staging'], 'promoted a');
  });

  test('is held in a freeze, whoever consented', async () => {
    const freeze = [{ from: '2026-11-23T00:00:00Z', until: '2026-11-23T13:00:00Z', reason: 'sale' }];
    const line = new Line({ freeze, approval: true });
    await line.settle('dev', 'a');
    await line.approve('staging');
    assert.match((await line.look())['staging'] ?? '', /frozen until 2026-11-23T13:00:00.000Z: sale/);
    line.clock.advance(60 * minutes);
    assert.equal((await line.look())['staging'], 'promoted a');
  });
});

const web = { cluster: 'dev', application: 'web' };
const pinned = { pin: { by: 'ada', reason: 'bad', at: '2026-11-23T12:00:00.000Z' } };

describe('consent', () => {
  test('is to one commit, recorded with who and why, and used up by it', async () => {
    const line = new Line({ approval: true });
    await line.settle('dev', 'a');
    const waits = 'waits: waits for `trueup promote --environment staging`';
    assert.equal((await line.look())['staging'], waits);
    assert.equal(await line.approve('staging'), 'approved a');
    await line.settle('dev', 'b');
    assert.equal((await line.look())['staging'], waits);
    assert.equal(await line.approve('staging', 'b'.repeat(7)), 'approved b');
    assert.equal((await line.look())['staging'], 'promoted b');
    const { commit } = JSON.parse((await line.store.get(keys.promoted('staging')))?.text ?? '{}');
    assert.deepEqual([commit.by, commit.reason], ['ada', 'fine']);
    await assert.rejects(line.approve('staging'), /has bbbbbbb already/);
  });

  test('takes an environment back to what it had, and newer commits go on', async () => {
    const line = new Line();
    for (const letter of ['a', 'b']) {
      await line.settle('dev', letter);
      await line.look();
      line.clock.advance(minutes);
    }
    await assert.rejects(line.approve('staging', 'c'.repeat(40)), Stop);
    assert.equal(await line.approve('staging', 'a'.repeat(40)), 'returned a');
    line.polls.length = 0;
    assert.match((await line.look('staging'))['staging'] ?? '', /was there before, promoted .*: only/);
    assert.deepEqual(line.polls, [{ version: 1, poll: 'remote', repositories: ['staging'] }]);
    assert.equal(await line.promoted('staging'), 'a');
    line.clock.advance(minutes);
    // Either somebody wants it again, or there is a newer one.
    await line.settle('dev', 'c');
    assert.equal((await line.look())['staging'], 'promoted c');
  });

  test('brings back what an environment was taken back from', async () => {
    const line = new Line();
    for (const letter of ['a', 'b']) {
      await line.settle('dev', letter);
      await line.look();
      line.clock.advance(minutes);
    }
    await line.approve('staging', 'a'.repeat(40));
    line.clock.advance(minutes);
    assert.equal(await line.approve('staging'), 'approved b');
    assert.equal((await line.look())['staging'], 'promoted b');
  });

  test('what was skipped does not come when the environment before goes back to it, also where nobody looked at it', async () => {
    for (const looked of [true, false]) {
      const line = new Line({ soak: '10m' });
      const follow = async (letter: string, minutesThere: number, isLooked = true) => {
        await line.settle('dev', letter);
        if (isLooked) await line.look();
        line.clock.advance(minutesThere * minutes);
      };
      await follow('a', 10);
      await line.look();
      // Replaced before it had soaked; what examined it says so, be it late.
      const at = isoTime(line.clock.now());
      await follow('b', 5, looked);
      await follow('c', 10);
      const examined = { repository: 'dev', sha: sha('b'), at };
      const [staging] = await promoteEnvironments(looked ? [] : [{ examined }], line.deps);
      assert.deepEqual([staging?.kind, staging?.sha?.[0]], ['promoted', 'c']);
      await follow('b', 10);
      assert.match(
        (await line.look())['staging'] ?? '',
        /is older than ccccccc, which was promoted: only `trueup/,
      );
      assert.equal(await line.promoted('staging'), 'c');
      // A newer one goes on, and a person may say that the older one is meant.
      assert.equal(await line.approve('staging'), 'approved b');
      assert.equal((await line.look())['staging'], 'promoted b');
      await follow('d', 10);
      assert.equal((await line.look())['staging'], 'promoted d');
    }
  });

  test('a branch that is moved back does not move the environments back by itself', async () => {
    const line = new Line();
    for (const letter of ['a', 'b', 'a']) {
      await line.settle('dev', letter);
      await line.look();
      line.clock.advance(minutes);
    }
    assert.match((await line.look())['staging'] ?? '', /was there before/);
    assert.equal(await line.promoted('staging'), 'b');
  });
});

describe('two at once', () => {
  test('who judged older records writes nothing', async () => {
    const line = new Line({ alarms: ['errors'] });
    line.alarms.set('errors', { state: 'OK', since: 0 });
    await line.settle('dev', 'a');
    const slow = { ...line.deps, alarms: { read: () => Promise.resolve(line.alarms) } };
    let isFirst = true;
    slow.alarms.read = async () => {
      if (!isFirst) return line.alarms;
      isFirst = false;
      // Meanwhile another function sees the next commit, and promotes that.
      await line.settle('dev', 'b');
      await line.look();
      // And dev shows the older one as healthy all the same, to who has read its state already.
      return line.alarms;
    };
    const [staging] = await promoteEnvironments([], slow);
    assert.equal(staging?.kind, 'waits');
    assert.equal(await line.promoted('staging'), 'b');
  });

  test('a function that is killed at any write has promoted the commit or not, and the next look goes on', async () => {
    for (const dies of [1, 2, 3, 4]) {
      const line = new Line();
      await line.settle('dev', 'a');
      let calls = 0;
      const die = <T>(work: () => T): T => {
        calls += 1;
        if (calls === dies) throw new Error('killed');
        return work();
      };
      const { deps } = line;
      const mortal = {
        ...deps,
        store: new Proxy(deps.store, {
          get: (target, name) =>
            name === 'put'
              ? (...args: Parameters<typeof target.put>) => die(() => target.put(...args))
              : Reflect.get(target, name).bind(target),
        }),
        queue: { poll: async () => die(() => undefined) },
        bus: { publish: async () => die(() => undefined) },
      };
      await promoteEnvironments([], mortal).catch(() => undefined);
      const now = await line.promoted('staging');
      assert.equal(now, dies <= 2 ? undefined : 'a');
      assert.match((await line.look())['staging'] ?? '', /^(promoted|same) a$/);
    }
  });
});

describe('Git as environments see it', () => {
  test('has the promoted commit as its head, none before the first, and asks the host for others only', async () => {
    const line = new Line();
    const asked: string[][] = [];
    const checkouts: string[] = [];
    const git = new PromotedGit(
      {
        head: () => Promise.reject(new Error('not asked')),
        heads: async (repositories) => {
          asked.push(repositories.map(({ name }) => name));
          return new Map([['dev', { sha: sha('b'), ref: 'refs/heads/main' }]]);
        },
        checkout: async ({ promotion }, commit, ref) => {
          checkouts.push(`${promotion?.by} ${commit[0]} ${ref}`);
          return undefined;
        },
      },
      line.store,
    );
    const { repositories } = line.config;
    assert.deepEqual([...(await git.heads(repositories)).keys()], ['dev']);
    await line.settle('dev', 'a');
    await line.look();
    const heads = await git.heads(repositories);
    assert.deepEqual([...heads.keys()], ['dev', 'staging']);
    assert.deepEqual(heads.get('staging'), { sha: sha('a'), ref: 'promoted:dev' });
    assert.deepEqual(asked, [['dev'], ['dev']]);
    const staging = repositories.find(({ name }) => name === 'staging');
    assert.ok(staging);
    await git.checkout(staging, sha('a'), 'promoted:dev');
    assert.deepEqual(checkouts, ['undefined a undefined']);
  });
});

describe('a line in the configuration', () => {
  const [dev, staging, prod] = lineConfig().repositories;
  const faults: readonly [string, readonly unknown[], RegExp][] = [
    ['names no repository', [dev, prod], /there is no repository staging/],
    [
      'leads back to itself',
      [{ ...dev, promotion: { by: 'pointer', from: 'prod' } }, staging, prod],
      /leads back to itself/,
    ],
    ['is of two hosts', [{ ...dev, url: 'https://git.example.com/acme/other' }, staging], /the same url/],
    ['tracks a tag', [dev, { ...staging, tag: 'v1' }], /needs a branch/],
    ['writes images', [dev, { ...staging, images: {} }], /is of the environment where commits arrive/],
  ];
  for (const [name, repositories, why] of faults) {
    test(`is refused when it ${name}`, () => {
      assert.throws(() => parseStackConfig({ ...lineConfig(), repositories }), why);
    });
  }
});

describe('by pull request', () => {
  test('one is opened when the gates are open, and its status says when one closes', async () => {
    const line = new Line();
    const git = new MemoryGit();
    const host = new MemoryGitHost();
    git.push('a', { 'dev.yaml': 'tag: 2', 'staging.yaml': 'tag: 1' });
    const written: (readonly [string, string])[] = [];
    const writer = {
      commit: async (_: unknown, { files }: { files: ReadonlyMap<string, string> }) => {
        written.push(...files);
        return {
          kind: 'pushed' as const,
          sha: host.headOf(promotionBranch(installationName('default', 'records'), 'staging')),
        };
      },
    };
    const [dev, staging] = lineConfig().repositories;
    const files = [{ from: 'dev.yaml', to: 'staging.yaml' }];
    const promotion = { by: 'pullRequest', from: 'dev', files, soak: '10m' } as const;
    const repositories = [dev, { ...staging, promotion }];
    const config = parseStackConfig({ ...lineConfig(), repositories });
    const heads = async () => new Map();
    const own = { heads, head: async () => git.head(), checkout: git.checkout.bind(git) };
    const deps = { ...line.deps, config, proposals: { git: own, writer, host } };
    const look = async () => (await promoteEnvironments([], deps))[0]?.why ?? '';
    await line.settle('dev', 'a');
    assert.match(await look(), /soaks until/);
    assert.deepEqual([written, host.calls], [[], []]);
    line.clock.advance(10 * minutes);
    assert.equal(await look(), 'waits for the merge of https://git.example/staging/pulls/1');
    assert.deepEqual(written, [['staging.yaml', 'tag: 2']]);
    await line.run('dev', 'Degraded');
    assert.match(await look(), /web on dev is Degraded/);
    const told = [...host.statuses].map(([, by]) => by.get('trueup/promotion')?.state);
    assert.deepEqual(told, ['pending']);
    host.change('staging', '1', { state: 'merged' });
    assert.deepEqual((await promoteEnvironments([], deps))[0]?.kind, 'promoted');
    assert.equal(await line.promoted('staging'), 'a');
    assert.deepEqual(
      line.bus.events.map(({ type }) => type),
      ['Promoted'],
    );
  });
});

test('messages of who promotes: only what a person went back to is to be followed at once', () => {
  const envelope = { id: '1', source: 'trueup', 'detail-type': 'Promoted' };
  const said = { version: 1, at: '', environment: 'prod', from: 'staging', sha: sha('a'), by: 'ada' };
  const parse = (returned: boolean) =>
    promotionMessageSchema.parse({ ...envelope, detail: { ...said, returned } });
  assert.deepEqual([parse(true), parse(false)], [{ follow: 'prod' }, {}]);
  assert.deepEqual(promotionMessageSchema.parse({ version: 1, promotion: 'look' }), {});
  const examined = { repository: 'dev', sha: sha('a'), at: '' };
  const detail = { version: 1, ref: 'refs/heads/main', failing: false, ...examined };
  const message = { ...envelope, 'detail-type': 'CommitExamined', detail };
  assert.deepEqual(promotionMessageSchema.parse(message), { examined });
});
