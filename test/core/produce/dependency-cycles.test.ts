import assert from 'node:assert/strict';
import { test } from 'node:test';
import { produce } from '../../../core/produce.ts';
import { application, configMap, ProduceWorld } from './world.ts';

const folder = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`apps/${name}/a.yaml`, configMap(name, '1')]));
const needing = (
  name: string,
  dependsOn: string,
  more: Record<string, string> = {},
): Record<string, string> => ({
  [`applications/${name}.yaml`]: application(name, { ...more, dependsOn }),
});

test('a cycle stops its applications with the whole of it and the files; the others go on', async () => {
  const world = new ProduceWorld();
  const names = ['a', 'b', 'c', 'free', 'behind'];
  await world.push('1', {
    ...folder(names),
    ...needing('a', '[{application: b}]'),
    ...needing('b', '[{application: c}]'),
    ...needing('c', '[]'),
    ...needing('free', '[]'),
    ...needing('behind', '[{application: a}]'),
  });
  assert.equal(world.takeRuns().length, 5);
  world.bus.events.length = 0;
  const outcome = await world.push('2', {
    ...folder(names),
    'apps/a/a.yaml': configMap('a', '2'),
    'apps/free/a.yaml': configMap('free', '2'),
    'apps/behind/a.yaml': configMap('behind', '2'),
    ...needing('a', '[{application: b}]'),
    ...needing('b', '[{application: c}]'),
    ...needing('c', '[{application: a}]'),
    ...needing('free', '[]'),
    ...needing('behind', '[{application: a}]'),
  });
  assert.match(outcome, /3 failed \(a; b; c\)/);
  assert.deepEqual(
    world.takeRuns(),
    ['behind on prod', 'free on prod'],
    'what only depends on a cycle is not in it',
  );
  const pointer = await world.pointer('a');
  assert.equal(pointer.revision, 1);
  assert.deepEqual(pointer.failed?.faults, [
    {
      subject: 'applications/a.yaml:8',
      message:
        'spec.dependsOn: the application waits for itself: a on prod → b on prod → c on prod → a on prod ' +
        '(applications/a.yaml, applications/b.yaml, applications/c.yaml); take one of these dependencies away',
    },
  ]);
});

test('an application that depends on itself, and one that does so on another cluster only', async () => {
  const world = new ProduceWorld();
  const both = { clusters: '{names: [dev, prod]}' };
  await world.push('1', {
    ...folder(['self', 'fine']),
    ...needing('self', '[{application: self}]'),
    ...needing('fine', '[{application: fine, cluster: dev}]', { clusters: '{names: [prod]}' }),
  });
  assert.deepEqual(world.takeRuns(), ['fine on prod']);
  await world.push('2', {
    ...folder(['self', 'fine']),
    ...needing('self', '[]'),
    ...needing('fine', '[{application: fine, cluster: dev}]', both),
  });
  const pointer = await world.pointer('fine');
  assert.match(pointer.failed?.faults[0]?.message ?? '', /fine on dev → fine on dev/);
});

test('a cycle through another repository is found by the settings in its pointers', async () => {
  const world = new ProduceWorld();
  const access = { type: 'eks', name: 'x' } as const;
  const config = {
    repositories: [
      { name: 'fleet', url: 'https://git.example/fleet.git' },
      { name: 'infra', url: 'https://git.example/infra.git' },
    ],
    clusters: [{ name: 'prod', access }],
  };
  world.git.push('1', {
    ...folder(['db', 'net']),
    ...needing('db', '[{application: net}]'),
    ...needing('net', '[{application: web}]'),
  });
  await produce(await world.pushed(world.git.current ?? '', '0'.repeat(40), 'infra'), 1, world.deps(config));
  world.takeRuns();
  const outcome = await world.push(
    '2',
    { ...folder(['web', 'other']), ...needing('web', '[{application: db}]'), ...needing('other', '[]') },
    { config },
  );
  assert.match(
    outcome,
    /web on prod → db on prod → net on prod → web on prod \(applications\/web.yaml, repository infra\)/,
  );
  assert.deepEqual(world.takeRuns(), ['other on prod']);
});
