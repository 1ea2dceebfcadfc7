import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunRequest } from '../../../core/model/run.ts';
import { Killed, mortal, type Death } from './mortal.ts';
import { configMap, type PushOptions } from './reconcile-world.ts';
import { Rollout, annotated, deployment, job } from './rollout.ts';

/** Two revisions of one application; the second is where runs die. */
interface Scenario {
  readonly why: string;
  readonly first: readonly KubeObject[];
  readonly second: readonly KubeObject[];
  readonly options?: PushOptions;
  /** All that is there in the end, and how the last run ended. */
  readonly there: string;
  readonly outcome: 'applied' | 'failed';
  /** Names of the hooks that the second revision runs: each exactly once. */
  readonly runs: readonly string[];
  /** Between the two revisions. */
  readonly prepare?: (rollout: Rollout) => void;
  /** An effect that must not come twice. */
  readonly once?: string;
  /** At least so many places to die. */
  readonly deaths: number;
}

const hooks = [
  job('migrate', { hook: 'pre' }),
  job('seed', { hook: 'pre', wave: '1', 'hook-delete': 'before,succeeded' }),
  job('smoke', { hook: 'post' }),
  job('tell', { hook: 'fail' }),
  job('backup', { hook: 'delete' }),
];
const scenarios: readonly Scenario[] = [
  {
    why: 'waves that wait for health, and what goes after them',
    first: [
      deployment('db'),
      annotated(configMap('old'), { wave: '1' }),
      annotated(configMap('older'), { wave: '2' }),
    ],
    second: [
      deployment('db2'),
      deployment('web', { wave: '1' }),
      annotated(configMap('last'), { wave: '2' }),
    ],
    there: 'ConfigMap last, Deployment db2, Deployment web',
    outcome: 'applied',
    runs: [],
    deaths: 35,
  },
  {
    why: 'pre and post hooks, with old objects to replace and policies that delete',
    first: [...hooks, configMap('a')],
    second: [...hooks, configMap('a', { a: '2' }), deployment('web')],
    there: 'ConfigMap a, Deployment web, Job migrate, Job smoke',
    outcome: 'applied',
    runs: ['migrate', 'seed', 'smoke'],
    deaths: 50,
  },
  {
    why: 'a revision that fails for good, and its fail hook',
    first: [...hooks, configMap('a')],
    second: [...hooks, configMap('a'), configMap('bad')],
    there: 'ConfigMap a, Job migrate, Job smoke, Job tell',
    outcome: 'failed',
    runs: ['migrate', 'seed', 'tell'],
    prepare: ({ cluster }) => cluster.answers.set('bad', { kind: 'invalid', message: 'is invalid' }),
    deaths: 35,
  },
  {
    why: 'an application that is gone: its delete hook, prune, and the objects of all hooks',
    first: [...hooks, configMap('a'), annotated(configMap('b'), { wave: '1' })],
    second: [...hooks, configMap('a'), annotated(configMap('b'), { wave: '1' })],
    options: { state: 'gone', onDelete: 'prune' },
    there: '',
    outcome: 'applied',
    runs: ['backup'],
    deaths: 25,
  },
  {
    why: 'an object that must be made again, since what changed cannot be changed',
    first: [job('batch', { immutable: 'recreate' }), configMap('a')],
    second: [job('batch', { immutable: 'recreate' }, 'a:2'), configMap('a')],
    there: 'ConfigMap a, Job batch',
    outcome: 'applied',
    runs: [],
    once: 'delete batch/v1/jobs/default/batch (Foreground)',
    deaths: 10,
  },
  {
    why: 'an object of another tool, whose fields are taken over by a patch',
    first: [configMap('a')],
    second: [configMap('a'), annotated(configMap('legacy'), { adopt: 'allowed' })],
    prepare: ({ cluster }) => {
      const place = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'legacy' };
      cluster.write(place, { kind: 'ConfigMap', data: { old: '1' } }, 'kubectl-client-side-apply');
    },
    there: 'ConfigMap a, ConfigMap legacy',
    outcome: 'applied',
    runs: [],
    deaths: 10,
  },
];

/** What controllers do between two messages. */
function control(rollout: Rollout): void {
  for (const { kind, metadata, status } of rollout.cluster.labelled()) {
    if (status !== undefined) continue;
    if (kind === 'Deployment') rollout.roll(metadata.name);
    if (kind === 'Job') rollout.end(metadata.name, 'Complete');
  }
}

/** One message after another, in time, as the queues deliver them; dies once, and that message comes again. */
async function drive(rollout: Rollout, death: Death): Promise<boolean> {
  const { world, clock } = rollout;
  let used = 0;
  let died = false;
  let message: { readonly request: RunRequest; readonly delaySeconds: number } | undefined = {
    request: world.request(),
    delaySeconds: 0,
  };
  for (let turn = 0; message !== undefined && turn < 60; turn += 1) {
    const { request } = message;
    clock.advance(message.delaySeconds * 1000);
    control(rollout);
    const { deps, effects } = mortal(world.deps, { ...death, at: death.at - used });
    try {
      await world.run(request.reason, { ...(died ? world.deps : deps), ...request });
      message = world.queues.later.shift() ?? nextRun(world.queues.runs);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      died = true;
      // The lease of the dead has run out when the queue delivers its message again.
      message = { request, delaySeconds: 120 };
    }
    used += effects();
  }
  return died;
}

function nextRun(runs: RunRequest[]) {
  const request = runs.shift();
  return request === undefined ? undefined : { request, delaySeconds: 0 };
}

async function assertWhole(rollout: Rollout, scenario: Scenario, before: number): Promise<void> {
  const { world, cluster } = rollout;
  const { lastRun, applied, entries, waiting } = await world.inventory();
  assert.deepEqual([lastRun?.revision, lastRun?.outcome], [2, scenario.outcome], lastRun?.message);
  assert.equal(applied?.revision, scenario.outcome === 'applied' ? 2 : 1);
  assert.equal(waiting, undefined);
  assert.equal(rollout.there, scenario.there);
  const tracked = Object.values(entries).filter(({ state }) => state === 'applied');
  const isHook = ({ metadata }: KubeObject) => metadata.annotations?.['trueup.dev/hook'] !== undefined;
  const kept = cluster.labelled().filter((object) => !isHook(object));
  assert.deepEqual(
    new Set(tracked.map(({ uid }) => uid)),
    new Set(kept.map(({ metadata }) => metadata.uid)),
    'the inventory knows all that is there, and nothing else',
  );
  assert.ok(tracked.every(({ created, adopted }) => created || adopted));
  const effects = cluster.effects.slice(before);
  const names = new Set(hooks.map(({ metadata }) => `apply batch/v1/jobs/default/${metadata.name}`));
  const ran = effects.filter((effect) => names.has(effect));
  assert.deepEqual(
    ran.map((effect) => effect.replace(/.*\//, '')).toSorted(),
    scenario.runs.toSorted(),
    'each hook ran exactly once',
  );
  const deletions = effects.filter((effect) => effect === 'delete v1/configmaps/default/a');
  assert.equal(deletions.length, scenario.there === '' ? 1 : 0, 'nothing that is desired was deleted');
  if (scenario.once !== undefined) {
    assert.equal(effects.filter((effect) => effect === scenario.once).length, 1, effects.join(', '));
  }
}

for (const scenario of scenarios) {
  describe(scenario.why, () => {
    for (const when of ['before', 'after'] as const) {
      test(`killed ${when} any effect of any of its runs, it ends whole`, async () => {
        let deaths = 0;
        for (let at = 1; ; at += 1) {
          const rollout = new Rollout();
          const { world, cluster } = rollout;
          world.pruneCap = { percent: 100, objects: 0 };
          await world.push(scenario.first, scenario.options === undefined ? {} : { onDelete: 'prune' });
          await drive(rollout, { at: Infinity, when });
          assert.equal((await world.inventory()).applied?.revision, 1);
          const { length } = cluster.effects;
          scenario.prepare?.(rollout);
          await world.push(scenario.second, scenario.options);
          const died = await drive(rollout, { at, when });
          await assertWhole(rollout, scenario, length).catch((error: unknown) => {
            throw new Error(`killed ${when} effect ${at}: ${String(error)}`, { cause: error });
          });
          if (!died) break;
          deaths += 1;
        }
        assert.ok(deaths >= scenario.deaths, `${deaths} places to die`);
      });
    }
  });
}
