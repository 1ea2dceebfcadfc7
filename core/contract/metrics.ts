/** CloudWatch namespace and metric names. Dimensions are Fleet and, where a cluster is meant, Cluster. */
export const metricNamespace = 'TrueUp';
export const dimensions = { fleet: 'Fleet', cluster: 'Cluster' } as const;

export const metrics = {
  /**
   * Objects with open drift; sent by each sweep while there is drift, by a look at one target the least that it can be, and
   * once as 0 when the last episode closes. This and the next two, of the fleet: of its worst cluster (the maximum).
   */
  driftedObjects: 'DriftedObjects',
  /** Age of the oldest open drift, in seconds. */
  oldestDrift: 'OldestDriftSeconds',
  /** Leaves added by nobody we know; reported, not alarmed. */
  foreignFields: 'ForeignFields',
  /** Objects with a field that is changed again after each heal, so that it is left alone; of the fleet, while there are any. */
  healLoops: 'HealLoops',
  /** Seconds since the target that was checked longest ago; of a cluster alone while three sweeps of it were missed. Missing data is breaching. */
  oldestCheck: 'OldestCheckSeconds',
  /** Targets that are Degraded; sent while there are any, and once as 0; of the fleet: of its worst cluster (the maximum). */
  degradedTargets: 'DegradedTargets',
  /** Discoveries of clusters that failed for three sweeps; of the fleet, sent while there are any, and once as 0. */
  failedDiscoveries: 'FailedDiscoveries',
  /** Repositories whose newest commit could not be followed in full; sent when one fails and when one recovers. */
  failedSnapshots: 'FailedSnapshots',
  /**
   * Targets whose last run failed or was blocked and that were not found Synced since, or whose newest revision was rolled back
   * by itself: by each sweep while there are any, and once as 0; 1 at once when it happens. Of the fleet: of its worst cluster
   * (the maximum).
   */
  failedRuns: 'FailedRuns',
  /** Seconds from a push to its revision applied to one target, and to that target healthy; of the fleet, one for each target. */
  leadTimeApplied: 'LeadTimeAppliedSeconds',
  leadTimeHealthy: 'LeadTimeHealthySeconds',
  /** Seconds from a change on a cluster to its record, and from the change to its heal; of the fleet, where they are known. */
  detectTime: 'DetectSeconds',
  healTime: 'HealSeconds',
  /** The same of the canary alone, which is not in the two above. */
  canary: 'CanarySeconds',
  /** Requests that API servers put off (429, or 503 with Retry-After); of the cluster, sent when there are any. */
  throttledRequests: 'ThrottledRequests',
  /** Objects that drifted although nothing had said that they changed; of the fleet, sent when there are any. */
  missedDrift: 'MissedDrift',
  /** API servers that are older than they were, as after a restore; 1 each, of the fleet. */
  restoredServers: 'RestoredServers',
} as const;
export type MetricName = (typeof metrics)[keyof typeof metrics];
