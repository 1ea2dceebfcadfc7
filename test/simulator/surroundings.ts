import type { StackConfig } from '../../core/contract/config.ts';
import type { Freeze } from '../../core/model/freeze.ts';
import type { ObjectAddress } from '../../core/ports.ts';
import type { MemoryStore } from '../fakes/memory-store.ts';
import type { ModelCluster } from './applications.ts';
import type { Host } from './invocation.ts';
import type { Trace } from './trace.ts';

/** What the parts of a simulated world know of it. */
export interface Surroundings extends Host {
  readonly trace: Trace;
  readonly config: StackConfig;
  readonly store: MemoryStore;
  readonly clusters: ReadonlyMap<string, ModelCluster>;
  /** When each cluster was last looked at by a sweep, executed or not. */
  readonly looked: Map<string, number>;
  /** Windows of the installation in which nothing is done to a cluster. */
  freezesOf(cluster: string): readonly Freeze[];
  /** Whether a pull request and its application have asked for an environment since then, and before. */
  isPreviewWanted(repository: string, application: string, pull: string, since: number): boolean;
  /** Another one whenever anything of the cluster was written, its records or its objects. */
  versionOf(cluster: string): string;
  /** A record of the cluster was written. */
  touched(cluster: string): void;
  /** The controller of Deployments has something to do. */
  rollOut(cluster: string, address: ObjectAddress): void;
}
