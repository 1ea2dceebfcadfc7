import type { Json } from './model/json.ts';
import type { Cluster } from './ports.ts';

/** A container of a pod, and which of its lines. */
export interface LogQuestion {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Of the container before its last restart. */
  readonly previous: boolean;
  /** Of the end. */
  readonly lines: number;
}

/** One cluster as a person sees it: nothing here writes. Throws as `Cluster` does. */
export interface LiveCluster extends Pick<Cluster, 'resources' | 'get' | 'list'> {
  /** Kubernetes events about the object of that kind and name, as the server has them; at most 200. */
  events(about: {
    readonly namespace: string | undefined;
    readonly kind: string;
    readonly name: string;
  }): Promise<readonly Json[]>;
  /** Empty where it has written nothing. Undefined where there is no such pod or container, or nothing of it is left. */
  logs(question: LogQuestion): Promise<string | undefined>;
}

/** Clusters that whoever is at this machine can look at with rights of their own. */
export interface LiveClusters {
  /** Whether there is a way to it; it may not answer all the same. */
  reaches(cluster: string): boolean;
  connect(cluster: string): Promise<LiveCluster>;
}
