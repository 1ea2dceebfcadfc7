import type { MetricName } from './contract/metrics.ts';
import type { TrueupEvent, SweepRequest } from './contract/events.ts';
import type { RepositoryConfig } from './contract/config.ts';
import type { AuditWrite } from './model/audit.ts';
import type { Commit } from './model/commit.ts';
import type { Json } from './model/json.ts';
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
  /** Keys with the versions that stand, in byte order: three of these tell what changed among a thousand targets. */
  entries(prefix: string): Promise<ReadonlyMap<string, string>>;
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
  /** Values may be a minute old, or as old as `maxAgeSeconds` says where that is less. */
  get(
    name: string,
    options?: { readonly maxAgeSeconds?: number },
  ): Promise<{ readonly current: string; readonly previous?: string }>;
}

/** Whether the raw body carries a signature made with one of the secrets; in constant time. */
export type VerifySignature = (body: Uint8Array, signature: string, secrets: readonly string[]) => boolean;

/**
 * A checked-out commit in scratch space; `dispose` wipes it. Paths are relative to the root of the tree.
 * Throws Stop, naming the path, for what leads out of the tree or is beyond the limits on number and size of files.
 */
export interface Worktree extends AsyncDisposable {
  readonly directory: string;
  readonly commit: Commit;
  /**
   * Regular files below a folder, recursively, sorted; symlinks were resolved inside the tree or refused.
   * Only what was asked for is fetched and on disk. Empty when there is no such folder.
   */
  files(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** UTF-8 text; Stop when it is not. */
  text(path: string): Promise<string>;
}

/** Throws Blocked (no access, no such repository) and Retry (host unreachable or overloaded). */
export interface Git {
  /** SHA of the tracked branch at the host now; undefined when the branch does not exist. */
  head(repository: RepositoryConfig): Promise<string | undefined>;
  /** Undefined when the host has no such commit, as after a force-push. */
  checkout(repository: RepositoryConfig, sha: string): Promise<Worktree | undefined>;
}

/** Output of an external renderer: its YAML stream, to be parsed by core. */
export interface Renderers {
  /** Of trueup, kubectl and kustomize. */
  readonly versions: { readonly [name: string]: string };
  /** Throws Stop with the renderer's own words, paths relative to the root of the tree. */
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

/** Objects of one kind, and the version of the whole list: how new the answer is. */
export interface LiveList {
  readonly resourceVersion: string;
  readonly items: readonly LiveObject[];
}

/** One operation of a JSON patch (RFC 6902). */
export type JsonPatchOperation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** A kind as the API server serves it. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** What the server lets one do at all: not every kind can be listed or deleted. */
  readonly verbs: readonly string[];
}

/** Where to find one object on a cluster. */
export interface ObjectAddress {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** A field that another manager owns with another value, as the server names it: `.spec.replicas`. */
export interface FieldConflict {
  readonly field: string;
  readonly manager: string;
}

export type ApplyOutcome =
  | {
      readonly kind: 'applied';
      readonly created: boolean;
      readonly object: LiveObject;
      /** The server's own words, such as deprecations. */
      readonly warnings: readonly string[];
    }
  /** 422 or 400: the object itself is wrong; `message` is the server's. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** 403: no permission, a quota, or an admission webhook's refusal. */
  | { readonly kind: 'refused'; readonly message: string }
  /** 409 on a precondition: somebody else got there first. */
  | { readonly kind: 'conflict'; readonly message: string; readonly fields: readonly FieldConflict[] }
  /** The kind or the namespace is not there, or is going away. */
  | { readonly kind: 'absent'; readonly message: string };

export type DeleteOutcome =
  | { readonly kind: 'deleted' | 'absent' }
  /** Accepted, but finalizers hold it. */
  | { readonly kind: 'deleting' }
  | { readonly kind: 'conflict' | 'refused'; readonly message: string };

/**
 * One cluster. Throws Retry (throttled, 5xx, timed out, unreachable) and Blocked (credentials not accepted, a read that
 * is forbidden, wrong CA); what the caller decides on comes back as a value. No call starts unless it can end in time.
 */
export interface Cluster {
  /** Every served kind at every served version, preferred version first; cached until `refresh`. */
  resources(options?: { readonly refresh?: boolean }): Promise<readonly ApiResource[]>;
  /** Undefined when the object, its namespace or its kind is not there. */
  get(address: ObjectAddress): Promise<LiveObject | undefined>;
  /** By label selector, all namespaces. `metadataOnly` leaves out everything but metadata, in the answer itself. */
  list(
    resource: ApiResource,
    selector: string,
    options?: { readonly metadataOnly?: boolean },
  ): Promise<LiveList>;
  /** `gitVersion` of the server; cached like `resources`. */
  version(): Promise<string>;
  apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome>;
  /** A JSON patch of exactly the version named: uid and resourceVersion are tested before anything is changed. */
  patch(
    address: ObjectAddress,
    precondition: DeletePrecondition,
    operations: readonly JsonPatchOperation[],
  ): Promise<ApplyOutcome>;
  delete(
    address: ObjectAddress,
    precondition: DeletePrecondition,
    options?: { readonly propagation?: 'Background' | 'Foreground' | 'Orphan' },
  ): Promise<DeleteOutcome>;
}

/** Unknown fields are always refused (`fieldValidation=Strict`): a misspelt field is an error, never dropped. */
export interface ApplyOptions {
  readonly dryRun: boolean;
  /** Take over fields that others own; ours wins by default. */
  readonly force: boolean;
}

export interface DeletePrecondition {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What the audit log of a cluster's API server says; it may be late, and it may be cut off. */
export interface AuditTrail {
  /** Writes between two times (milliseconds since the epoch), in any order; those of controllers and ours left out. */
  writes(since: number, until: number): AsyncIterable<AuditWrite>;
}

/** Connections to clusters by their name in the stack configuration. */
export interface Clusters {
  /**
   * `deadline` gives milliseconds since the epoch, asked anew before each request, since a lease moves it:
   * no request starts that could outlive it.
   */
  connect(
    cluster: string,
    deadline: () => number,
    options?: { readonly impersonate?: Identity | undefined },
  ): Promise<Cluster>;
}

/** As whom requests are made; our own rights must allow taking it on. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
}
