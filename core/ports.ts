import type { MetricName } from './contract/metrics.ts';
import type { PollRequest, SweepRequest, TrueupEvent } from './contract/events.ts';
import type { Webhook } from './contract/hooks.ts';
import type { RepositoryConfig } from './contract/config.ts';
import type { ResolvedRef } from './contract/tracked-ref.ts';
import type { Commit } from './model/commit.ts';
import type { Capabilities } from './model/facts.ts';
import type { ChartReference } from './model/helm.ts';
import type { Json } from './model/json.ts';
import type { LookupQuestion } from './model/lookup.ts';
import type { KubeObject, LiveObject } from './model/object.ts';
import type { RunRequest } from './model/run.ts';

export type { ClusterFinder, EksCluster, EksListing } from './fleet-ports.ts';
export type { AuditTrail } from './audit-ports.ts';
export type { AlarmReading, Alarms } from './alarm-ports.ts';
export type { ReferencedValues, Sealer, SealingPurpose, Secrets, SopsOpener } from './secret-ports.ts';

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
  /** 0 to 900 seconds from now; at once where nothing is said. */
  sweep(request: SweepRequest, delaySeconds?: number): Promise<void>;
}

/** Where requests to poll are sent. */
export interface PollQueue {
  /** 0 to 900 seconds from now. */
  poll(request: PollRequest, delaySeconds: number): Promise<void>;
}

/** One try of a Git host to deliver a webhook. */
export interface HookAttempt {
  /** Of this try. */
  readonly id: number;
  /** Of the delivery, the same over its tries. */
  readonly guid: string;
  readonly event: string;
  readonly at: string;
  readonly succeeded: boolean;
}

/** What a Git host knows of the deliveries of one of its webhooks. Throws Blocked and Retry. */
export interface HookAttempts {
  /** Newest first, none older than `since` (milliseconds since the epoch). */
  list(webhook: Webhook, since: number): Promise<readonly HookAttempt[]>;
  redeliver(webhook: Webhook, attempt: number): Promise<void>;
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

/** What checking a sender takes. */
export interface Signer {
  hmac(algorithm: 'sha1' | 'sha256', key: string | Uint8Array, message: Uint8Array): Uint8Array;
  /** In a time that tells nothing of where the two differ, or of how long the expected one is. */
  equal(given: string, expected: string): boolean;
}

/** Verifies a token of a CI system: signature by the issuer's published keys, issuer, audience, and time. */
export interface IdentityTokens {
  /** The token's claims; or why it is not to be trusted. Throws Retry where the issuer cannot be asked. */
  verify(
    token: string,
    expected: { readonly issuer: string; readonly audience: string },
  ): Promise<
    | { readonly kind: 'verified'; readonly claims: Readonly<Record<string, unknown>> }
    | { readonly kind: 'refused'; readonly reason: string }
  >;
}

/**
 * A checked-out commit in scratch space; `dispose` wipes it. Paths are relative to the root of the tree.
 * Throws Stop, naming the path, for what leads out of the tree or is beyond the limits on number and size of files.
 */
export interface Worktree extends AsyncDisposable {
  readonly directory: string;
  readonly commit: Commit;
  /**
   * Mode and object id of every path of the commit, folders and symlinks (mode 120000) too, known before any content is
   * fetched; `.` for all of it. Equal ids are equal contents. Empty for a tree that is no commit, such as a person's folder.
   */
  readonly ids: ReadonlyMap<string, string>;
  /** Fetches all of these paths in one request, so that reading them asks the host for nothing. What is not there is passed over. */
  prepare(paths: readonly string[]): Promise<void>;
  /**
   * Regular files below a folder, recursively, sorted; symlinks were resolved inside the tree or refused.
   * Only what was asked for is fetched and on disk. Empty when there is no such folder.
   */
  files(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** UTF-8 text; Stop when it is not. */
  text(path: string): Promise<string>;
  /** Where a folder or a file really lies in the tree, symlinks followed; the path itself when there is no such thing. */
  realPath(path: string): Promise<string>;
}

/**
 * Repositories of every kind; of an artifact the digits of its digest are the SHA. Throws Blocked (no access, no such
 * repository), Retry (host unreachable or overloaded), and Stop for what is refused.
 */
export interface Git {
  /** SHA of the tracked revision at the host now; undefined when there is no such branch or tag. */
  head(repository: RepositoryConfig): Promise<string | undefined>;
  /**
   * The same for several configured repositories that share one url, by their names, for one question to the host;
   * those whose tracked revision is not there are left out.
   */
  heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>>;
  /**
   * Undefined when the host has no such commit, as after a force-push. `ref`: where it should be found, for hosts that give
   * no commit by its SHA; default: where it was found last, or the tracked ref.
   */
  checkout(repository: RepositoryConfig, sha: string, ref?: string): Promise<Worktree | undefined>;
}

/** A tree put together for one build. */
export interface KustomizeAssembly {
  /** What stands where: a content, or a file of a checkout. */
  readonly files: ReadonlyMap<
    string,
    string | Uint8Array | { readonly worktree: Worktree; readonly path: string }
  >;
  /** The folder in it that is built. */
  readonly folder: string;
}

export interface KustomizeExtras {
  /** Built in place of the folder of the checkout. */
  readonly assembly?: KustomizeAssembly;
  /** Charts of the tree are inflated, told of this cluster; absent: none is. */
  readonly helm?: { readonly capabilities?: Capabilities };
}

/** Output of an external renderer: its YAML stream, to be parsed by core. */
export interface Renderers {
  /** Of trueup, kubectl and kustomize. */
  readonly versions: { readonly [name: string]: string };
  /** Throws Stop with the renderer's own words, paths relative to the root of the tree. */
  kustomize(worktree: Worktree, path: string, extras?: KustomizeExtras): Promise<string>;
  /** `refused` holds Helm's own words, which may quote values; throws Stop when a limit is reached. */
  helm(request: HelmRequest): Promise<HelmResult>;
}

/** Files of a chart, those of the charts below `charts/` too, by path below its folder. */
export type ChartFiles = ReadonlyMap<string, Uint8Array>;

/** One run of `helm template`, which reads nothing but this. */
export interface HelmRequest {
  readonly chart: ChartFiles;
  readonly releaseName: string;
  readonly namespace: string;
  /** YAML texts, on top of the chart's own; later ones win. */
  readonly values: readonly string[];
  /** On top of these, each as a flag and its text: `--set`, `a.b=1`. */
  readonly parameters: readonly (readonly [flag: string, text: string])[];
  /** Undefined: those that Helm assumes. */
  readonly capabilities: Capabilities | undefined;
  readonly includeCrds: boolean;
  readonly skipSchemaValidation: boolean;
  /** For `.Release.IsUpgrade` in place of `.Release.IsInstall`. */
  readonly isUpgrade: boolean;
  /** Answers what templates look up; needs `capabilities`. Absent: they find nothing. */
  readonly lookup?: (question: LookupQuestion) => LookupReply;
}

/** Without a name it is about a list; a refusal ends the rendering. */
export type LookupReply =
  { readonly kind: 'objects'; readonly objects: readonly KubeObject[] } | { readonly kind: 'refused' };

export type HelmResult =
  | { readonly kind: 'rendered'; readonly output: string }
  | { readonly kind: 'refused'; readonly words: string };

/** A chart as its repository or registry gave it, of one exact version. */
export interface FetchedChart {
  readonly name: string;
  readonly version: string;
  /** `sha256:` and hex: of the archive, or of the manifest in an OCI registry. */
  readonly digest: string;
  readonly files: ChartFiles;
}

/** Helm repositories and OCI registries that the stack configuration declares; nothing else is ever asked. */
export interface Charts {
  /**
   * The chart itself, its digest checked, unpacked in memory. Throws Stop for what is not declared, does not exist or is no
   * chart, Blocked where access is refused, Retry where the other side cannot answer.
   */
  fetch(reference: ChartReference): Promise<FetchedChart>;
  /** Throws Stop, naming `subject`, for an archive that escapes, holds links or is beyond the limits. */
  unpack(archive: Uint8Array, subject: string): Promise<ChartFiles>;
}

/** What a range of versions leads to now. */
export type NewestChart =
  | { readonly kind: 'version'; readonly version: string }
  /** No version fits, or access is refused: who fetches is told why. */
  | { readonly kind: 'none' }
  /** The other side does not answer. */
  | { readonly kind: 'unknown' };

/** Versions of charts, without the charts. */
export interface ChartIndex {
  /** For each reference in turn, for one question to each Helm repository or OCI name, whatever of it is asked for. */
  newest(references: readonly ChartReference[]): Promise<readonly NewestChart[]>;
}

/** Objects of one kind, and the version of the whole list: how new the answer is. */
export interface LiveList {
  readonly resourceVersion: string;
  /** Read out of the answer when first asked for, where there is a `digest`; throws Retry when they are none. */
  readonly items: readonly LiveObject[];
  /**
   * Of all that the answer says but for the version of the list itself: equal digests, equal items in equal order, byte
   * for byte. Absent where nobody asked for it, and where the answer came in pages or in an unusual spelling.
   */
  readonly digest?: string;
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
  /**
   * By label selector, all namespaces. `metadataOnly` leaves out everything but metadata, in the answer itself; with
   * `digestKey` such a list comes with its digest, keyed since annotations may hold what nobody should guess.
   */
  list(
    resource: ApiResource,
    selector: string,
    options?: {
      readonly metadataOnly?: boolean;
      readonly digestKey?: Uint8Array;
      /** Of this one alone. */
      readonly namespace?: string;
      /** Of whole objects: what is beyond is not read, and that there is more shows in a longer list. */
      readonly most?: number;
    },
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
  /** What exists already, whoever made it, stays as it is, and the answer is a conflict. */
  readonly createOnly?: boolean;
}

export interface DeletePrecondition {
  readonly uid: string;
  readonly resourceVersion: string;
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
