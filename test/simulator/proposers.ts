import { withValue, type ModelCommit } from './applications.ts';
import type { SimulatedWorld } from './world.ts';

const minuteMs = 60_000;

/** People open pull requests, push to them, close them and open them again. */
export function startProposers(world: SimulatedWorld, pullMinutes: number, isOver: () => boolean): void {
  const { random, timeline } = world;
  const again = (): void => {
    if (isOver()) return;
    propose(world);
    timeline.after(random.exponential(pullMinutes * minuteMs), again);
  };
  timeline.after(random.exponential(pullMinutes * minuteMs), again);
}

/** Every pull request is closed. */
export function closeAll(world: SimulatedWorld): void {
  const { pulls, timeline } = world;
  for (const pull of pulls.all) {
    if (pull.isOpen) world.tellOfPull('closed', pulls.change(pull, { isOpen: false }, timeline.now));
  }
}

function propose(world: SimulatedWorld): void {
  const { random, timeline, pulls } = world;
  const { now } = timeline;
  const pull = random.pick(pulls.all);
  const roll = random.next();
  if (pull === undefined || roll < 0.3) {
    world.tellOfPull('opened', pulls.open(world.propose(changedCommit(world)), now));
  } else if (!pull.isOpen) {
    if (roll < 0.5) world.tellOfPull('reopened', pulls.change(pull, { isOpen: true }, now));
  } else if (roll < 0.7) {
    const sha = world.propose(changedCommit(world));
    world.tellOfPull('synchronize', pulls.change(pull, { sha, isOpen: true }, now));
  } else world.tellOfPull('closed', pulls.change(pull, { isOpen: false }, now));
}

/** The head, with another value in each application that runs for pull requests. */
function changedCommit({ heads, pulls, random }: SimulatedWorld): ModelCommit {
  const head: ModelCommit = heads.get(pulls.repository) ?? new Map();
  const isFailing = random.chance(0.1);
  return new Map(
    [...head].map(([name, one]) => {
      if (one.previews !== true) return [name, one];
      const objects = one.objects.map((object) => withValue(object, random.hex(6)));
      return [name, { ...one, objects, ...(isFailing && { fault: 'object' as const }) }];
    }),
  );
}
