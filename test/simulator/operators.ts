import { keys, prefixes } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { desiredPointerSchema } from '../../core/model/desired.ts';
import { suspensionOf, type SuspensionScope } from '../../core/model/suspension.ts';
import type { RunReason } from '../../core/model/run.ts';
import type { Target } from '../../core/model/target.ts';
import { isoTime } from '../../core/model/time.ts';
import type { Bus, Clock, Queues, Store } from '../../core/ports.ts';
import { promote } from '../../core/promote.ts';
import { liftPin, rollBack, rolledBackEvent } from '../../core/rollback.ts';
import { readSuspensions, resume, suspend } from '../../core/suspend.ts';
import { Invocation } from './invocation.ts';
import { busOf, queuesOf, storeOf } from './ports.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedWorld } from './world.ts';

interface Desk {
  readonly store: Store;
  readonly queues: Queues;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly targets: readonly Target[];
}

type Act = (target: Target, desk: Desk) => Promise<string>;

const minuteMs = 60_000;
const by = 'somebody';
/** Nobody waits for a command line any longer. */
const patienceMs = 2 * minuteMs;

/** People on call: they roll back, lift, suspend, resume, sync and promote, by the code of the command line. */
export function startOperators(world: SimulatedWorld, actMinutes: number, isOver: () => boolean): void {
  const { random, timeline } = world;
  const again = (): void => {
    if (isOver()) return;
    const act = random.pick(acts);
    if (act !== undefined) {
      void atDesk(world, async (desk) => {
        const target = random.pick(desk.targets);
        if (target === undefined) return;
        const done = await act(target, desk);
        world.trace.note(`somebody, ${target.cluster}/${target.application}: ${done}`);
      });
    }
    timeline.after(random.exponential(actMinutes * minuteMs), again);
  };
  timeline.after(random.exponential(actMinutes * minuteMs), again);
}

/** At the end of the day everything is resumed, and every rollback of a person is lifted. */
export async function endHolds(world: SimulatedWorld): Promise<void> {
  await atDesk(world, async (desk) => {
    const { store, queues } = desk;
    const suspended = (await readSuspensions(store))?.active ?? [];
    for (const { application, cluster } of suspended) {
      const scope = {
        ...(application !== undefined && { application }),
        ...(cluster !== undefined && { cluster }),
      };
      await resume(desk, scope, by);
    }
    for await (const key of store.list(prefixes.desired)) {
      const pointer = (await readDocument(store, key, desiredPointerSchema))?.value;
      if (pointer?.pin === undefined || pointer.pin.rejects !== undefined) continue;
      await liftPin(desk, pointer.target);
      await ask(queues, pointer.target, 'sync');
    }
  });
}

/** A process that may die; what is refused, its user reads. */
async function atDesk(world: SimulatedWorld, work: (desk: Desk) => Promise<void>): Promise<void> {
  const { random } = world;
  const invocation = new Invocation(world, patienceMs, { isPerson: true });
  const { clock } = invocation;
  const targets = [...world.clusters.keys()].flatMap((cluster) =>
    [...new Set([...world.wantedOn(cluster).values()].map(({ application }) => application))].map(
      (application) => ({ cluster, application }),
    ),
  );
  const [store, queues, bus] = [
    storeOf(world, invocation),
    queuesOf(world, invocation),
    busOf(world, invocation),
  ];
  try {
    await invocation.begin(async () => work({ store, queues, bus, clock, random, targets }));
  } catch (error) {
    if (error instanceof Stop || error instanceof Retry || error instanceof Blocked)
      world.trace.note(`refused: ${error.message}`);
    else world.failure ??= error;
  }
}

const acts: readonly Act[] = [pin, pin, lift, hold, hold, goOn, sync, promoteStage];

async function pin(target: Target, desk: Desk): Promise<string> {
  const { store, clock, queues, bus, random } = desk;
  const held = suspensionOf(await readSuspensions(store), target, clock.now());
  if (held !== undefined) return 'suspended';
  const reason = 'incident';
  const { pointer, from, to } = await rollBack(desk, target, { by, reason, until: untilOf(desk) });
  await ask(queues, target, 'sync');
  const event = rolledBackEvent(pointer, from, { at: isoTime(clock.now()) });
  if (event !== undefined && random.chance(0.9)) await bus.publish([event]);
  return `rolled back to ${to.commit.sha.slice(0, 7)} until ${pointer.pin?.until ?? 'it is lifted'}`;
}

async function lift(target: Target, desk: Desk): Promise<string> {
  const pinned = await pinnedAmong(desk);
  const one = desk.random.pick(pinned) ?? target;
  const pointer = await liftPin(desk, one);
  if (pointer === undefined) return 'nothing to lift';
  await ask(desk.queues, one, 'sync');
  return `lifted ${one.cluster}/${one.application}`;
}

async function pinnedAmong({ store, targets }: Desk): Promise<readonly Target[]> {
  const found: Target[] = [];
  for (const target of targets) {
    const pointer = await readDocument(store, keys.desired(target), desiredPointerSchema);
    if (pointer?.value.pin !== undefined) found.push(target);
  }
  return found;
}

async function hold(target: Target, desk: Desk): Promise<string> {
  const { random } = desk;
  const { application, cluster } = target;
  const scopes: readonly SuspensionScope[] = [{ application }, { cluster }, target, target];
  const scope = random.pick(scopes) ?? target;
  const until = untilOf(desk);
  await suspend(desk, scope, { by, reason: 'incident', ...(until !== undefined && { until }) });
  return `suspended ${JSON.stringify(scope)} until ${until ?? 'it is resumed'}`;
}

async function goOn(_: Target, desk: Desk): Promise<string> {
  const { store, queues, random, targets } = desk;
  const one = random.pick((await readSuspensions(store))?.active ?? []);
  if (one === undefined) return 'nothing to resume';
  const { application, cluster } = one;
  const scope = {
    ...(application !== undefined && { application }),
    ...(cluster !== undefined && { cluster }),
  };
  await resume(desk, scope, by);
  const freed = targets.filter(
    (target) =>
      (application ?? target.application) === target.application &&
      (cluster ?? target.cluster) === target.cluster,
  );
  for (const target of freed) await ask(queues, target, 'pending');
  return `resumed ${JSON.stringify(scope)}`;
}

async function sync(target: Target, { queues }: Desk): Promise<string> {
  await ask(queues, target, 'sync');
  return 'asked for a run';
}

async function promoteStage(target: Target, desk: Desk): Promise<string> {
  const { application } = target;
  const own = desk.targets.filter((one) => one.application === application);
  const { promotion, waiting } = await promote(desk, application, own, { by });
  for (const one of waiting) await ask(desk.queues, one, 'promote');
  return `promoted ${promotion.stage}`;
}

function untilOf({ clock, random }: Desk): string | undefined {
  return random.chance(0.6) ? isoTime(clock.now() + random.between(20, 240) * minuteMs) : undefined;
}

async function ask(queues: Queues, target: Target, reason: RunReason): Promise<void> {
  await queues.run({ version: 1, target, reason, requestedBy: by });
}
