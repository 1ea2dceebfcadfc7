import type { MetricName } from './contract/metrics.ts';
import type { TrueupEvent, SweepRequest } from './contract/events.ts';
import type { RepositoryConfig } from './contract/config.ts';
import type { Commit } from './model/commit.ts';
import type { KubeObject, LiveObject } from './model/object.ts';
import type { RunRequest } from './model/run.ts';

/** Milliseconds since the epoch; the only source of time. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** New identifiers; those of runs sort by time of creation. */
export interface Ids {
  next(): string;
}

export interface Stored {
  readonly text: string;
  readonly etag: string;
}

/** `absent`: only create. An etag: only replace that version. */
export type WriteCondition = 'any' | 'absent' | { readonly etag: string };
export type WriteOutcome =
  { readonly kind: 'written'; readonly etag: string } | { readonly kind: 'conflict' };

/**
 * Text documents by key with compare-and-set. S3, a folder, or memory; one contract suite for all.
 * A key that ends in `.gz` is compressed at rest, which callers need not know.
 */
export interface Store {
  get(key: string): Promise<Stored | undefined>;
  /** 409 and 412 of S3 both come out as `conflict`. */
  put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome>;
  delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'>;
  /** Keys in byte order, paged inside; `after` starts behind that key. */
  list(prefix: string, options?: { readonly after?: string; readonly limit?: number }): AsyncIterable<string>;
}

/** Throws Retry when any entry was not taken: PutEvents fails entry by entry. */
export interface Bus {
  publish(events: readonly TrueupEvent[]): Promise<void>;
}

export interface Queues {
  /** To the target's own FIFO group; at once. */
  run(request: RunRequest): Promise<void>;
  /** To the standard queue, 0 to 900 seconds from now. */
  runLater(request: RunRequest, delaySeconds: number): Promise<void>;
  sweep(request: SweepRequest): Promise<void>;
}

export interface MetricDatum {
  readonly name: MetricName;
  readonly value: number;
  readonly unit: 'Count' | 'Seconds';
  /** Absent: of the fleet as a whole. */
  readonly cluster?: string;
}
export interface Metrics {
  put(data: readonly MetricDatum[]): Promise<void>;
}

/** Values of one secret: the current one and, during rotation, the previous one. */
export interface Secrets {
  get(name: string): Promise<{ readonly current: string; readonly previous?: string }>;
}

/** A checked-out commit in scratch space; `dispose` wipes it. Paths are relative to the root of the tree. */
export interface Worktree extends AsyncDisposable {
  readonly directory: string;
  readonly commit: Commit;
  /** Regular files below a folder, recursively, sorted; symlinks were resolved inside the tree or refused. */
  files(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
}

export interface Git {
  /** SHA of the tracked branch at the host now; undefined when the branch does not exist. */
  head(repository: RepositoryConfig): Promise<string | undefined>;
  checkout(repository: RepositoryConfig, sha: string): Promise<Worktree>;
}

/** Output of an external renderer: its YAML stream, to be parsed by core. */
export interface Renderers {
  readonly versions: { readonly [name: string]: string };
  kustomize(worktree: Worktree, path: string): Promise<string>;
}

/** Envelope encryption of secret leaves (rule 9). */
export interface Sealer {
  /** Key of the keyed digests. Never leaves memory. */
  digestKey(): Promise<Uint8Array>;
  /** A fresh data key; `wrapped` is base64 of its KMS ciphertext. */
  newDataKey(): Promise<{ readonly wrapped: string; readonly key: Uint8Array }>;
  unwrap(wrapped: string): Promise<Uint8Array>;
  encrypt(key: Uint8Array, plain: string): string;
  decrypt(key: Uint8Array, sealed: string): string;
}

/** A kind as the API server serves it. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Where to find one object on a cluster. */
export interface ObjectAddress {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly created: boolean; readonly object: LiveObject }
  /** 422 or 400: the object itself is wrong; `message` is the server's. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** 401, 403, or an admission webhook's refusal. */
  | { readonly kind: 'refused'; readonly message: string }
  /** 409 on a precondition: somebody else got there first. */
  | { readonly kind: 'conflict'; readonly message: string }
  /** 404 of the kind or of the namespace. */
  | { readonly kind: 'absent'; readonly message: string };

export type DeleteOutcome =
  | { readonly kind: 'deleted' | 'absent' }
  /** Accepted, but finalizers hold it. */
  | { readonly kind: 'deleting' }
  | { readonly kind: 'conflict' | 'refused'; readonly message: string };

/**
 * One cluster. Throws Retry (throttled, 5xx, timed out, unreachable) and Blocked (no credentials, wrong CA);
 * everything the caller decides on comes back as a value. No call starts unless it can end before `deadline`.
 */
export interface Cluster {
  /** Every served kind at every served version, preferred version first; cached until `refresh`. */
  resources(options?: { readonly refresh?: boolean }): Promise<readonly ApiResource[]>;
  get(address: ObjectAddress): Promise<LiveObject | undefined>;
  /** By label selector, all namespaces. */
  list(resource: ApiResource, selector: string): Promise<readonly LiveObject[]>;
  apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome>;
  delete(address: ObjectAddress, precondition: DeletePrecondition): Promise<DeleteOutcome>;
}

export interface ApplyOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: 'Strict' | 'Warn';
  /** Take over fields that others own; ours wins by default. */
  readonly force: boolean;
}

export interface DeletePrecondition {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Connections to clusters by their name in the stack configuration. */
export interface Clusters {
  /** `deadline` in milliseconds since the epoch: no request of this connection starts that could outlive it. */
  connect(cluster: string, deadline: number): Promise<Cluster>;
}
