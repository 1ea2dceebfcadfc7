import type { KubeObject } from '../../core/model/object.ts';
import {
  badImageOf,
  newObject,
  withBadImage,
  withValue,
  type ModelApplication,
  type ModelCommit,
} from './applications.ts';
import type { SeededRandom } from './random.ts';

/** What somebody did to a repository, for the trace. */
export interface Change {
  readonly what: string;
  readonly commit: ModelCommit;
}

/** Names of objects and applications are used once: what is left behind meets nothing new. */
export class Names {
  /** Applications have stages, freezes, rollbacks and previews, and people push what turns out bad. */
  readonly isOperated: boolean;
  #count = 0;

  constructor(isOperated = false) {
    this.isOperated = isOperated;
  }

  next(kind: string): string {
    this.#count += 1;
    return `${kind}-${this.#count}`;
  }
}

const tiers = [undefined, undefined, 'dev', 'prod'] as const;

export function newApplication(names: Names, random: SeededRandom, objects: number): ModelApplication {
  return {
    name: names.next('app'),
    tier: random.pick(tiers),
    drift: random.chance(0.85) ? 'heal' : 'observe',
    onDelete: random.chance(0.6) ? 'prune' : 'orphan',
    objects: Array.from({ length: objects }, () => newObject(names.next('object'), random)),
    ...(names.isOperated && {
      stages: random.chance(0.3) ? random.pick(['soak', 'soak', 'pause']) : undefined,
      rollsBack: random.chance(0.5),
      previews: random.chance(0.3),
    }),
  };
}

/** Everything that is broken, mended. */
export function mended(commit: ModelCommit, random: SeededRandom): ModelCommit {
  return new Map([...commit].map(([name, one]) => [name, mendedOne(one, random)]));
}

function mendedOne(one: ModelApplication, random: SeededRandom): ModelApplication {
  const isBad = one.objects.some((object) => badImageOf(object) !== undefined);
  if (one.fault === undefined && !isBad) return one;
  const objects = one.objects.map((object) =>
    badImageOf(object) === undefined ? object : withValue(object, random.hex(6)),
  );
  return { ...one, objects, fault: undefined };
}

const hourMs = 3_600_000;

/** One push of a person, of one of many kinds; `now`: milliseconds since the epoch. */
export function changed(commit: ModelCommit, names: Names, random: SeededRandom, now: number): Change {
  const one = random.pick([...commit.values()]);
  if (one !== undefined && names.isOperated && random.chance(0.35)) return operated(commit, one, random, now);
  const roll = random.next();
  if (one === undefined || roll < 0.06) {
    const added = newApplication(names, random, 1 + random.index(4));
    return { what: `add ${added.name}`, commit: withOne(commit, added) };
  }
  if (roll < 0.12 && commit.size > 2) return { what: `delete ${one.name}`, commit: withoutOne(commit, one) };
  if (roll < 0.18 && one.onDelete === 'prune') {
    const renamed = { ...one, name: names.next('app') };
    return { what: `rename ${one.name}`, commit: withOne(withoutOne(commit, one), renamed) };
  }
  if (roll < 0.26) {
    const fault = random.chance(0.5) ? ('object' as const) : ('file' as const);
    return { what: `break ${one.name}`, commit: withOne(commit, { ...one, fault }) };
  }
  if (roll < 0.4) return { what: 'mend', commit: mended(commit, random) };
  if (roll < 0.46) return moved(commit, one, random);
  if (roll < 0.5) {
    const other = { ...one, tier: random.pick(tiers) };
    return { what: `retarget ${one.name}`, commit: withOne(commit, other) };
  }
  const changedOne = { ...one, objects: changedObjects(one.objects, names, random) };
  return { what: `change ${one.name}`, commit: withOne(commit, changedOne) };
}

/** A freeze comes or goes, or an image that never becomes ready. */
function operated(commit: ModelCommit, one: ModelApplication, random: SeededRandom, now: number): Change {
  if (random.chance(0.3)) {
    const from = now + random.between(0, 0.5) * hourMs;
    const until = from + random.between(0.5, 2) * hourMs;
    const window = { from: new Date(from).toISOString(), until: new Date(until).toISOString() };
    const freeze = one.freeze === undefined ? window : undefined;
    return { what: `freeze ${one.name}`, commit: withOne(commit, { ...one, freeze }) };
  }
  const place = one.objects.findIndex(({ kind }) => kind === 'Deployment');
  const objects = one.objects.map((object, each) =>
    each === place ? withBadImage(object, random.hex(6)) : object,
  );
  return { what: `spoil ${one.name}`, commit: withOne(commit, { ...one, objects }) };
}

function withOne(commit: ModelCommit, application: ModelApplication): ModelCommit {
  return new Map([...commit, [application.name, application]]);
}

function withoutOne(commit: ModelCommit, { name }: ModelApplication): ModelCommit {
  return new Map([...commit].filter(([each]) => each !== name));
}

/** An object goes from one application to another, which takes it over. */
function moved(commit: ModelCommit, from: ModelApplication, random: SeededRandom): Change {
  const others = [...commit.values()].filter(({ name }) => name !== from.name);
  const to = random.pick(others.filter(({ onDelete }) => onDelete === 'prune'));
  const [object, ...rest] = from.objects;
  if (to === undefined || object === undefined || rest.length === 0 || from.onDelete === 'orphan')
    return { what: 'nothing', commit: new Map(commit) };
  const next = withOne(withOne(commit, { ...from, objects: rest }), {
    ...to,
    objects: [...to.objects, object],
  });
  return { what: `move ${object.metadata.name} to ${to.name}`, commit: next };
}

function changedObjects(
  objects: readonly KubeObject[],
  names: Names,
  random: SeededRandom,
): readonly KubeObject[] {
  const roll = random.next();
  if (roll < 0.2) return [...objects, newObject(names.next('object'), random)];
  if (roll < 0.35 && objects.length > 1) {
    const gone = random.index(objects.length);
    return objects.filter((_, place) => place !== gone);
  }
  const place = random.index(objects.length);
  return objects.map((object, each) => (each === place ? withValue(object, random.hex(6)) : object));
}
