import { Stop, messageOf } from '../errors.ts';
import { expressionOf, isTrue } from '../expression.ts';
import type { Json } from '../model/json.ts';
import { choosesCluster } from '../model/cluster-selector.ts';
import { refOf } from '../model/object.ts';
import type { PolicyRule } from '../model/policy-rule.ts';
import { fits } from '../policy.ts';
import type { Finding, JudgedObject } from './finding.ts';

/** Name and labels of a cluster, as the configuration has them. */
export interface JudgedCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Which rules of the installation an object breaks. A rule that cannot be evaluated is broken: a mistake must not pass for a yes. */
export function judgeRules(
  { object, before }: JudgedObject,
  rules: readonly PolicyRule[],
  cluster: JudgedCluster,
): readonly Finding[] {
  if (object === undefined) return [];
  return rules.flatMap(({ name, match, clusters, expression, message, severity }): readonly Finding[] => {
    if (clusters !== undefined && !choosesCluster(clusters, cluster)) return [];
    if (!match.some((each) => fits(each, object))) return [];
    const variables = { object, oldObject: before ?? null };
    const answer = answerOf(expression, variables);
    if (answer === true) return [];
    const why = answer === false ? '' : ` (${answer.fault})`;
    return [{ ref: refOf(object), kind: 'policy', policy: name, severity, text: `${message}${why}` }];
  });
}

/** A rule that is no CEL is a fault of the rule, and no reason to say nothing of the object. */
function answerOf(expression: string, variables: Readonly<Record<string, Json>>): ReturnType<typeof isTrue> {
  try {
    return isTrue(expressionOf(expression, 'the rule'), variables);
  } catch (error) {
    if (error instanceof Stop) return { fault: messageOf(error) };
    throw error;
  }
}
