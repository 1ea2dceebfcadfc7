import { annotations } from './contract/kubernetes.ts';
import { Stop } from './errors.ts';
import type { HookPhase } from './model/inventory.ts';
import { describeRef, refOf, type KubeObject } from './model/object.ts';

/** When the object of a hook is deleted. */
type HookDeletion = 'before' | 'succeeded' | 'failed';

/** What the annotations of an object say of its turn. Only an object without `hook` is part of the state. */
export interface Order {
  readonly wave: number;
  readonly hook?: { readonly phases: readonly HookPhase[]; readonly deletions: readonly HookDeletion[] };
}

const phases: readonly HookPhase[] = ['pre', 'post', 'fail', 'delete'];
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
    return { wave, hook: { phases: wordsIn(annotations.hook, hook, phases, subject), deletions: when } };
  }
  if (deletion === undefined) return { wave };
  const message = `has the annotation ${annotations.hookDelete} and is no hook; add ${annotations.hook}, or take it away`;
  throw new Stop({ subject, message });
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
