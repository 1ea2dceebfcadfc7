import { annotations } from './contract/kubernetes.ts';
import { Stop } from './errors.ts';
import type { HookPhase } from './model/inventory.ts';
import { describeRef, refOf, type KubeObject } from './model/object.ts';

/** When the object of a hook is deleted. */
type HookDeletion = 'before' | 'succeeded' | 'failed';

/** What a revision is to its target: the first that is applied there, a later one, or an older one that a person pinned. */
export type Occasion = 'install' | 'upgrade' | 'rollback';

/** What the annotations of an object say of its turn. Only an object without `hook` is part of the state. */
export interface Order {
  readonly wave: number;
  readonly hook?: {
    readonly phases: readonly HookPhase[];
    readonly deletions: readonly HookDeletion[];
    /** Of a phase that is meant on some occasions only. */
    readonly only?: { readonly [phase in HookPhase]?: readonly Occasion[] };
  };
}

const phases: readonly HookPhase[] = ['pre', 'post', 'fail', 'delete', 'post-delete'];
const occasions: readonly Occasion[] = ['install', 'upgrade', 'rollback'];
/** `pre-install` and the like; `pre` alone is for every occasion. */
const hookWords = [
  ...phases,
  ...(['pre', 'post'] as const).flatMap((phase) => occasions.map((on) => `${phase}-${on}` as const)),
];
const deletions: readonly HookDeletion[] = ['before', 'succeeded', 'failed'];
/** Beyond any use; keeps waves exact in JSON. */
const furthest = 1_000_000;

/** Reads wave and hook annotations. Throws Stop, naming `subject` (default: the object), for one that it cannot read. */
export function orderOf(object: KubeObject, subject = describeRef(refOf(object))): Order {
  const own = object.metadata.annotations ?? {};
  const wave = waveIn(own[annotations.wave], subject);
  const hook = own[annotations.hook];
  const deletion = own[annotations.hookDelete];
  if (hook !== undefined) {
    const when = wordsIn(annotations.hookDelete, deletion ?? 'before', deletions, subject);
    return {
      wave,
      hook: { ...turnsOf(wordsIn(annotations.hook, hook, hookWords, subject)), deletions: when },
    };
  }
  if (deletion === undefined) return { wave };
  const message = `has the annotation ${annotations.hookDelete} and is no hook; add ${annotations.hook}, or take it away`;
  throw new Stop({ subject, message });
}

function turnsOf(
  words: readonly (typeof hookWords)[number][],
): Pick<NonNullable<Order['hook']>, 'phases' | 'only'> {
  const only: { [phase in HookPhase]?: readonly Occasion[] } = {};
  for (const phase of ['pre', 'post'] as const) {
    const some = occasions.filter((on) => words.includes(`${phase}-${on}`));
    if (some.length > 0 && !words.includes(phase)) only[phase] = some;
  }
  const meant = phases.filter((phase) => words.includes(phase) || only[phase] !== undefined);
  return Object.keys(only).length === 0 ? { phases: meant } : { phases: meant, only };
}

/** Whether a hook runs in a phase, on an occasion. */
export function isDue(
  { phases: meant, only }: NonNullable<Order['hook']>,
  phase: HookPhase,
  on: Occasion,
): boolean {
  return meant.includes(phase) && (only?.[phase]?.includes(on) ?? true);
}

/** The wave of a live object, which anybody may have annotated: what cannot be read counts as none. */
export function liveWave(object: KubeObject): number {
  const wave = Number(object.metadata.annotations?.[annotations.wave] ?? 0);
  return Number.isInteger(wave) && Math.abs(wave) <= furthest ? wave : 0;
}

function waveIn(text: string | undefined, subject: string): number {
  if (text === undefined) return 0;
  const wave = Number(text);
  if (/^[+-]?[0-9]+$/.test(text) && Math.abs(wave) <= furthest) return wave;
  const message = `has ${annotations.wave}: "${text}"; it must be a whole number, such as -1, 0 or 5`;
  throw new Stop({ subject, message });
}

function wordsIn<T extends string>(
  annotation: string,
  text: string,
  known: readonly T[],
  subject: string,
): readonly T[] {
  const words = text.split(',').map((word) => word.trim());
  const found = known.filter((word) => words.includes(word));
  const [unknown] = words.filter((word) => !known.some((each) => each === word));
  if (unknown === undefined) return found;
  const message = `has ${annotation}: "${text}"; "${unknown}" is none of ${known.join(', ')}`;
  throw new Stop({ subject, message });
}
