/** Alarms of one installation: kinds that stand alone, and kinds with one alarm for each of several things. */
export const alarmKinds = {
  /** Objects differ from what was last applied. */
  drift: 'drift',
  /** Somebody changes a field again after each heal: it is left alone. */
  healLoop: 'heal-loop',
  /** A target's health is Degraded. */
  degraded: 'degraded',
  /** A target of a cluster was not checked for three sweeps, or nothing is reported at all. */
  unchecked: 'unchecked',
  /** An exact check found drift in an object that seemed not to have changed. */
  missedDrift: 'missed-drift',
  /** An API server is older than it was: it was restored from a backup. */
  restored: 'restored',
  /** For three sweeps an account and region did not say which clusters it has; only where clusters are found by tags. */
  failedDiscovery: 'failed-discovery',
  /** The canary was changed, and nobody found it; only where there is one. */
  canary: 'canary',
  failedSnapshots: 'failed-snapshots',
  failedRuns: 'failed-runs',
  /** Webhooks `failed` (answered 5xx) or `throttled`: the Git host may not deliver them again. */
  webhookErrors: 'webhook-errors',
  /** The API of the dashboard answers 5xx; only where there is one. */
  dashboardErrors: 'dashboard-errors',
  /** Per work queue: its oldest message waits for too long. */
  backlog: 'backlog',
  /** Per dead-letter queue: work that was given up. */
  deadLetters: 'dead-letters',
} as const;
export type AlarmKind = (typeof alarmKinds)[keyof typeof alarmKinds];

/** Name of an alarm; `of` is the queue or the fault. The kind is also its heading in `docs/runbook.md`. */
export function alarmName(fleet: string, kind: AlarmKind, of?: string): string {
  return ['trueup', fleet, kind, ...(of === undefined ? [] : [of])].join('-');
}
