import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NoticeWorld, everything, shaOf } from './notify/notice-world.ts';

const web = { cluster: 'east', application: 'web' };
const failed = { outcome: 'failed' as const, message: 'Deployment shop/web: the server says no' };
const applied = { outcome: 'applied' as const };

test('a function that dies anywhere loses nothing: the next look tells what is decided', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  world.dies = true;
  await assert.rejects(world.pass(60), /died/);
  world.dies = false;
  assert.equal((await world.memory()).outbox.length, 1);
  await world.lookAtAll();
  assert.deepEqual(
    world.sent.map(({ notice }) => notice.title),
    ['web on east: the run failed'],
  );
  assert.equal((await world.memory()).outbox.length, 0);
});

test('a look that was lost is asked for again with the next event', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  world.forgetLooks();
  assert.deepEqual(await world.told(600), []);
  await world.run(web, failed, { health: 'Unknown' });
  assert.equal((await world.told()).length, 1);
});

test('while nothing is wrong nothing is written, however much is deployed', async () => {
  const world = new NoticeWorld({ ...everything, routes: [{ channels: ['ops'] }] });
  for (let index = 0; index < 50; index += 1) {
    const target = { cluster: 'east', application: `app-${index}` };
    await world.point(target);
    await world.run(target, applied);
  }
  await world.examine('platform', shaOf('2'));
  assert.deepEqual(await world.told(3600), []);
  assert.equal(world.looksAsked, 0);
  assert.ok(!world.store.writes.some((key) => key.startsWith('notices/')));
});

test('what is well is forgotten after a day', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Degraded' });
  await world.pass(60);
  await world.run(web, applied);
  await world.pass(2 * 24 * 3600);
  await world.lookAtAll();
  const { problems, incidents, hints, deployed, outbox, infos } = await world.memory();
  assert.deepEqual(
    { problems, incidents, hints, deployed, outbox, infos },
    {
      problems: {},
      incidents: {},
      hints: {},
      deployed: {},
      outbox: [],
      infos: [],
    },
  );
});

test('two functions at once: one message, though one of them loses its write', async () => {
  const world = new NoticeWorld();
  await world.point(web);
  await world.run(web, failed, { health: 'Unknown' });
  const put = world.store.put.bind(world.store);
  let lost = 0;
  world.store.put = async (key, text, condition) => {
    if (!key.startsWith('notices/') || lost === 3) return put(key, text, condition);
    lost += 1;
    return { kind: 'conflict' };
  };
  assert.deepEqual(await world.told(), ['ops opened error web on east: the run failed']);
  assert.equal(lost, 3);
});

test('whatever events are doubled, reordered or lost on the way back: what is told ends as it is', async () => {
  const step = fc.record({
    target: fc.constantFrom('a', 'b', 'c'),
    isFailing: fc.boolean(),
    events: fc.constantFrom(0, 1, 2),
    seconds: fc.constantFrom(0, 5, 50, 400, 4000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      const world = new NoticeWorld();
      const now = new Map<string, boolean>();
      for (const application of ['a', 'b', 'c']) await world.point({ cluster: 'east', application });
      for (const { target, isFailing, events, seconds } of steps) {
        const outcome = isFailing ? failed : applied;
        // Of a failure one event arrives: nobody looks for what no event ever told of.
        const times = isFailing ? Math.max(1, events) : events;
        await world.run({ cluster: 'east', application: target }, outcome, {}, times);
        now.set(target, isFailing);
        await world.pass(seconds);
      }
      await world.pass(300);
      await world.lookAtAll();
      await world.pass(4 * 3600);
      const told = new Set<string>();
      for (const { notice } of world.sent) {
        const subjects =
          notice.items.length === 0 ? [notice.title] : notice.items.map(({ subject }) => subject);
        for (const subject of subjects) {
          const name = /(\w) on east/.exec(subject)?.[1] ?? '';
          if (notice.phase === 'opened' || notice.phase === 'changed') told.add(name);
          else if (notice.phase === 'resolved') told.delete(name);
        }
      }
      const failing = [...now].flatMap(([name, isFailing]) => (isFailing ? [name] : []));
      for (const name of failing) assert.ok(told.has(name), `${name} fails, and nobody knows`);
      const { incidents } = await world.memory();
      if (failing.length === 0) assert.deepEqual([[...told], incidents], [[], {}]);
    }),
    { numRuns: 40, seed: 7 },
  );
});

test('a record that nobody can read keeps nobody from hearing of the others, and ends nothing', async () => {
  const world = new NoticeWorld();
  const api = { cluster: 'east', application: 'api' };
  for (const target of [web, api]) await world.point(target);
  await world.run(web, failed, { health: 'Unknown' });
  await world.pass(60);
  await world.store.put('desired/east/web.json', '{"version":99}', 'any');
  await world.run(web, failed, { health: 'Unknown' });
  await world.drift(api, 'open');
  assert.deepEqual(await world.told(), ['ops opened warning api on east has drifted: 1 object']);
});
