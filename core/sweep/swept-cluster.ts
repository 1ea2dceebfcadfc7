import type { Holds } from '../holds.ts';
import type { Mask } from '../drift/shown-value.ts';
import type { TargetCheck } from '../model/check.ts';
import type { ClusterMemory, ObjectMemory, RecordVersions, TargetMemory } from '../model/memory.ts';
import type { LiveObject } from '../model/object.ts';
import type { Target } from '../model/target.ts';
import type { ApiResource, Cluster, Identity, ReferencedValues } from '../ports.ts';
import { glance, type Glance } from './glance.ts';
import { kindOfKey, type LabelledObjects } from './listed-kinds.ts';
import type { LiveReader } from './live-reader.ts';
import type { Records } from './records.ts';
import type { TargetState } from './target-state.ts';

/** One cluster as a sweep sees it: a connection, and what holds for all of its targets. */
export interface SweptCluster {
  readonly cluster: Cluster;
  /** The same cluster as somebody else, for dry runs with the rights of an application. */
  readonly as: (identity: Identity) => Promise<Cluster>;
  readonly served: readonly ApiResource[];
  readonly labelled: LabelledObjects;
  /** Objects with our label and in no inventory, by application. */
  readonly extras: ReadonlyMap<string, readonly LiveObject[]>;
  readonly reader: LiveReader;
  readonly records: Records;
  /** Applications with open episodes. */
  readonly drifting: ReadonlySet<string>;
  /** Keys of extra objects with open episodes, by application. */
  readonly openExtras: ReadonlyMap<string, ReadonlySet<string>>;
  readonly mask: Mask;
  /** What holds runs back; read when the first target is judged, and not for a clean sweep. */
  readonly holds: () => Promise<Holds>;
  /** Each is asked for once in a sweep. */
  readonly references: ReferencedValues;
  /** Names of objects that drift although all that a look at their metadata tells is as it was at a clean check. */
  readonly missed: string[];
}

/** One target of a sweep, with the versions that its records had before anything was listed. */
export interface SweptTarget {
  readonly target: Target;
  readonly versions: RecordVersions;
  readonly memory: TargetMemory | undefined;
  readonly previous: TargetCheck | undefined;
  /** Undefined while its records need not be read. */
  readonly state: TargetState | undefined;
  /** Why its records cannot be read; such a target is Unknown and holds up no other. */
  readonly unreadable?: string;
}

/** What is remembered of one object, and what the lists say of it now. */
export interface Recalled {
  readonly memory: ObjectMemory;
  /** As it was listed; undefined where it was not. */
  readonly resourceVersion: string | undefined;
  readonly glance: Glance;
  readonly versionOnly: boolean;
}

/** Looks at every object that is remembered of a target, by object key. */
export function recall(
  { objects, versionOnly }: TargetMemory,
  labelled: LabelledObjects,
  known: ClusterMemory['kinds'],
  mask: Mask,
): ReadonlyMap<string, Recalled> {
  return new Map(
    objects.map((memory) => {
      const [key, , resourceVersion] = memory;
      const name = kindOfKey(key);
      if (labelled.unread.has(name)) {
        return [key, { memory, resourceVersion, versionOnly, glance: 'same' as const }];
      }
      const live = labelled.objects.get(key);
      const remembered = labelled.kinds.get(name)?.remembered;
      const kind = remembered?.identity === known[name]?.identity ? remembered : undefined;
      const seen = glance(memory, live, { kind, versionOnly, mask });
      return [key, { memory, resourceVersion: live?.metadata.resourceVersion, versionOnly, glance: seen }];
    }),
  );
}
