/** What a fault is about, in the words of the person who must act on it, e.g. `application web` or `apps/web/deployment.yaml:12`. */
export interface Fault {
  readonly subject: string;
  /** What happened and what to do, one sentence each; never holds a secret value. */
  readonly message: string;
  readonly cause?: unknown;
}

/** Base of the three errors that cross a stage. The caller chooses by class, never by reading the text. */
abstract class TrueupError extends Error {
  readonly subject: string;
  constructor({ subject, message, cause }: Fault) {
    super(`${subject}: ${message}`, cause === undefined ? undefined : { cause });
    this.subject = subject;
  }
}

/** The world was not ready (throttled, timed out, moved under us): the same work may pass later, unchanged. */
export class Retry extends TrueupError {
  override readonly name = 'Retry';
  /** Earliest useful delay in seconds where the other side named one (Retry-After). */
  readonly afterSeconds: number | undefined;
  /** The other side took the request and never answered: something behind it may hang, for this one request alone. */
  readonly timedOut: boolean;
  constructor(fault: Fault & { afterSeconds?: number; timedOut?: boolean }) {
    super(fault);
    this.afterSeconds = fault.afterSeconds;
    this.timedOut = fault.timedOut === true;
  }
}

/** The input is wrong: only a new commit, configuration or request can help. Production stays as it is. */
export class Stop extends TrueupError {
  override readonly name = 'Stop';
  /** Every fault found, so that a person mends them in one go. */
  readonly faults: readonly Fault[];
  constructor(fault: Fault, faults: readonly Fault[] = [fault]) {
    super(fault);
    this.faults = faults;
  }
}

/** A rule of ours or of the cluster forbids it: a person must decide (adopt, confirm, grant). */
export class Blocked extends TrueupError {
  override readonly name = 'Blocked';
}

/** Faults of an outcome of the business kind, for a record; undefined for whatever else was thrown. */
export function faultsOf(error: unknown): readonly Fault[] | undefined {
  if (error instanceof Stop) return error.faults;
  if (!(error instanceof Blocked)) return undefined;
  const { subject } = error;
  return [{ subject, message: error.message.slice(subject.length + 2) }];
}

/** One sentence for a record or a terminal, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
