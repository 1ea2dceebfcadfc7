import { areas, type Finding, type Seen } from './doctor/finding.ts';
import { judgeAlarms, type AlarmFacts } from './doctor/judge-alarms.ts';
import { judgeAudit, type AuditFact } from './doctor/judge-audit.ts';
import { judgeClock } from './doctor/judge-clock.ts';
import { judgeClusters, type ClusterFact } from './doctor/judge-clusters.ts';
import { judgeConcurrency, judgeFunctions, type FunctionFact } from './doctor/judge-functions.ts';
import { judgeHooks, type HookFact } from './doctor/judge-hooks.ts';
import { judgeLock } from './doctor/judge-lock.ts';
import { judgeQueues, type QueueFact } from './doctor/judge-queues.ts';
import { judgeSecrets, type SecretFact } from './doctor/judge-secrets.ts';
import { judgeVersions, type VersionFacts } from './doctor/judge-versions.ts';

/** All that `trueup doctor` could learn of an installation. */
export interface DoctorFacts {
  /** Seconds that this computer's clock is ahead of that of AWS. */
  readonly ahead: Seen<number>;
  readonly versions: VersionFacts;
  readonly functions: readonly FunctionFact[];
  /** Functions that the account may run at once, those left out that are reserved. */
  readonly unreserved: Seen<number>;
  /** Whether the bucket has Object Lock enabled; undefined where no record is to be locked. */
  readonly canLock: Seen<boolean> | undefined;
  readonly secrets: readonly SecretFact[];
  readonly hooks: readonly HookFact[];
  readonly queues: readonly QueueFact[];
  readonly clusters: readonly ClusterFact[];
  readonly sweepSeconds: number;
  readonly audit: readonly AuditFact[];
  readonly alarms: AlarmFacts;
}

/** Every finding, by area; what is in order is told too, so that silence is never taken for health. */
export function diagnose(facts: DoctorFacts): readonly Finding[] {
  const findings = [
    ...judgeClock(facts.ahead),
    ...judgeVersions(facts.versions),
    ...judgeFunctions(facts.functions),
    ...judgeConcurrency(facts.unreserved, facts.functions),
    ...judgeLock(facts.canLock),
    ...judgeSecrets(facts.secrets),
    ...judgeHooks(facts.hooks),
    ...judgeQueues(facts.queues),
    ...judgeClusters(facts.clusters, facts.sweepSeconds),
    ...judgeAudit(facts.audit),
    ...judgeAlarms(facts.alarms),
  ];
  return findings.toSorted((a, b) => areas.indexOf(a.area) - areas.indexOf(b.area));
}
