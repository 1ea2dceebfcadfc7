import type { Fault } from '../errors.ts';
import type { KubeObject } from '../model/object.ts';
import type { Finding } from '../policies/finding.ts';
import { compareObjects, type ObjectChange } from './compare-objects.ts';
import { mermaidOf } from './mermaid.ts';
import { risksOf, type Risk } from './risks.ts';
import { topologyOf } from './topology.ts';

/** What one application renders to for one cluster: objects canonical and masked; or why not. */
export type Rendering =
  | {
      readonly kind: 'rendered';
      readonly objects: readonly KubeObject[];
      readonly prune: boolean;
      /** What becomes of its objects when it is gone from Git. */
      readonly onDelete: 'orphan' | 'prune';
    }
  | { readonly kind: 'failed'; readonly faults: readonly Fault[] };

/** By `CLUSTER/APPLICATION`. */
export type Renderings = ReadonlyMap<string, Rendering>;

export interface ComparedObject extends ObjectChange {
  readonly risks: readonly Risk[];
}

/** What becomes of one target from one commit to another. */
export interface ComparedTarget {
  readonly cluster: string;
  readonly application: string;
  /** `gone`: no such application any more; what that does its `onDelete` said. */
  readonly kind: 'new' | 'changed' | 'gone';
  readonly objects: readonly ComparedObject[];
  /** Of the target as a whole. */
  readonly risks: readonly Risk[];
  /** Why it cannot be rendered; then nothing of it changes. */
  readonly faults: readonly Fault[];
  /** What a schema or a policy says against it. */
  readonly findings: readonly Finding[];
  /** How what changes hangs together, in Mermaid; absent where it does not. */
  readonly picture?: string;
}

/** So many objects of a target are pruned by one run; more stops and asks (rule 6 of the design). */
export interface PruneCap {
  readonly percent: number;
  readonly objects: number;
}

/**
 * Targets that change, cannot be rendered or have findings, in the order of their names. `isComplete`: every Application of
 * the head could be read; else one that is not there is merely unreadable, and nothing is taken for gone (rule 7 of the
 * design). `findings`: as `judgeRenderings` gives them.
 */
export function compareRenderings(
  base: Renderings,
  head: Renderings,
  {
    cap,
    isComplete,
    findings = new Map(),
  }: {
    readonly cap: PruneCap;
    readonly isComplete: boolean;
    readonly findings?: ReadonlyMap<string, readonly Finding[]>;
  },
): readonly ComparedTarget[] {
  const names = isComplete ? [...base.keys(), ...head.keys()] : [...head.keys()];
  const keys = [...new Set(names)].sort();
  return keys.flatMap((key): ComparedTarget[] => {
    const [cluster = '', application = ''] = key.split('/');
    const own = findings.get(key) ?? [];
    const target = compareTarget(base.get(key), head.get(key), cap);
    const isNothing = target.objects.length + target.faults.length + own.length === 0;
    return isNothing ? [] : [{ cluster, application, ...target, findings: own }];
  });
}

function compareTarget(
  base: Rendering | undefined,
  head: Rendering | undefined,
  cap: PruneCap,
): Omit<ComparedTarget, 'cluster' | 'application' | 'findings'> {
  if (head?.kind === 'failed')
    return { kind: base === undefined ? 'new' : 'changed', objects: [], risks: [], faults: head.faults };
  // What could not be rendered before is compared with nothing: all of it may be new.
  const before = base?.kind === 'rendered' ? base.objects : [];
  const prune = head?.prune ?? (base?.kind === 'rendered' && base.onDelete === 'prune');
  const changes = compareObjects(before, head?.objects ?? []);
  const topology = topologyOf(before, head?.objects ?? [], changes);
  return {
    kind: head === undefined ? 'gone' : base === undefined ? 'new' : 'changed',
    objects: changes.map((change) => ({ ...change, risks: risksOf(change, { prune }) })),
    risks: prune ? capRisks(changes, before.length, cap) : [],
    faults: [],
    ...(topology !== undefined && { picture: mermaidOf(topology) }),
  };
}

function capRisks(changes: readonly ObjectChange[], before: number, cap: PruneCap): readonly Risk[] {
  const gone = changes.filter(({ kind }) => kind === 'removed').length;
  if (gone <= cap.objects || gone * 100 <= cap.percent * before) return [];
  const text = `would delete ${gone} of ${before} objects: more than the cap, so that a person must confirm it`;
  return [{ kind: 'cap', text }];
}
