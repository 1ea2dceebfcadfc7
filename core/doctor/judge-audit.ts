import { auditFilterPattern, auditLogGroup, subscriptionLimits } from '../contract/audit.ts';
import { judged, type Finding, type Seen } from './finding.ts';

/** One subscription of a log group. */
export interface LogSubscription {
  readonly name: string;
  readonly pattern: string;
  /** ARN of who hears. */
  readonly destination: string;
}

/** The audit log of one cluster that is to be followed. */
export interface AuditFact {
  /** Name of the EKS cluster. */
  readonly eksName: string;
  /** Of the function that follows it; undefined where the stack has none. */
  readonly functionName: string | undefined;
  /** Undefined: there is no such log group. */
  readonly subscriptions: Seen<readonly LogSubscription[] | undefined>;
}

/** Whether the audit function hears of each cluster. A log group takes two subscriptions, and others may have both. */
export function judgeAudit(facts: readonly AuditFact[]): readonly Finding[] {
  return facts.flatMap((fact) => {
    const logGroup = auditLogGroup(fact.eksName);
    const judge = (subscriptions: readonly LogSubscription[] | undefined): readonly Finding[] => [
      { area: 'audit logs', ...judgeGroup(logGroup, fact.functionName, subscriptions) },
    ];
    return judged('audit logs', logGroup, fact.subscriptions, judge);
  });
}

const deployAgain = 'deploy the stack again';

function judgeGroup(
  logGroup: string,
  functionName: string | undefined,
  subscriptions: readonly LogSubscription[] | undefined,
): Omit<Finding, 'area'> {
  if (subscriptions === undefined) {
    const todo = 'switch on the audit log of the cluster: docs/reference/audit.md#switch-it-on';
    return { level: 'fail', what: `there is no log group ${logGroup}`, todo };
  }
  const ours = subscriptions.find(({ destination }) => destination.endsWith(`:function:${functionName}`));
  if (ours?.pattern === auditFilterPattern) return { level: 'ok', what: `${logGroup} is followed` };
  if (ours !== undefined) {
    const what = `subscription ${ours.name} of ${logGroup} passes on other lines than this version reads`;
    return { level: 'warn', what, todo: deployAgain };
  }
  if (subscriptions.length < subscriptionLimits.filters) {
    return { level: 'fail', what: `nobody follows ${logGroup}`, todo: deployAgain };
  }
  const others = subscriptions.map(({ name, destination }) => `${name} (to ${destination})`).join(' and ');
  return {
    level: 'fail',
    what: `${logGroup} has its ${subscriptionLimits.filters} subscriptions already: ${others}`,
    todo: `remove one, or have one stream in Kinesis serve both readers; then ${deployAgain}`,
  };
}
