import { expressionOf, isTrue, type Evaluation } from '../expression.ts';
import type { Json } from '../model/json.ts';
import { groupOf, refOf, type KubeObject } from '../model/object.ts';
import { isOfAdmission, type AdmissionBinding, type AdmissionPolicy } from './admission-policy.ts';
import type { Finding, JudgedObject } from './finding.ts';
import { hasLabels, matchesResources, type Admitted, type Matched } from './matches-resources.ts';

/** What policies may know beside the object. */
export interface AdmissionWorld {
  readonly policies: readonly AdmissionPolicy[];
  readonly resourceOf: (object: KubeObject) => string;
  readonly namespaceOf: (object: KubeObject) => KubeObject | undefined;
  /** Objects that a policy may take as its parameters. */
  readonly parameters: readonly KubeObject[];
}

/**
 * What the API server's ValidatingAdmissionPolicies would say of the change, as far as it can be known without the server:
 * the object is as it is rendered, without what the server and its webhooks fill in, and nobody knows who asks. What a policy
 * needs of that is a finding of its own, `unjudged`.
 */
export function judgeAdmission(judged: JudgedObject, world: AdmissionWorld): readonly Finding[] {
  const { object, before } = judged;
  const subject = object ?? before;
  if (subject === undefined || isOfAdmission(subject)) return [];
  const operation = object === undefined ? 'DELETE' : before === undefined ? 'CREATE' : 'UPDATE';
  const { resourceOf, namespaceOf } = world;
  const admitted = {
    operation,
    object: subject,
    resource: resourceOf(subject),
    namespace: namespaceOf(subject),
  } as const;
  const findings = world.policies.flatMap((policy) =>
    policy.bindings.flatMap((binding) => judgeBound(policy, binding, { judged, admitted, world })),
  );
  const distinct = new Map(
    findings.map((finding) => [`${finding.severity} ${finding.policy} ${finding.text}`, finding]),
  );
  return [...distinct.values()];
}

interface Case {
  readonly judged: JudgedObject;
  readonly admitted: Admitted;
  readonly world: AdmissionWorld;
}

function judgeBound(policy: AdmissionPolicy, binding: AdmissionBinding, given: Case): readonly Finding[] {
  const { admitted } = given;
  const finding = (rest: Pick<Finding, 'kind' | 'severity' | 'text'>): Finding => ({
    ref: refOf(admitted.object),
    policy: policy.name,
    ...rest,
  });
  const unjudged = (why: string) =>
    finding({ kind: 'unjudged', severity: 'warn', text: `could not be judged: ${why}` });

  const matches: readonly Matched[] = [
    matchesResources(policy.matchConstraints, admitted),
    ...(binding.matchResources === undefined ? [] : [matchesResources(binding.matchResources, admitted)]),
  ];
  if (matches.includes('no')) return [];
  if (matches.includes('unknown'))
    return [
      unjudged(
        `labels of Namespace ${admitted.object.metadata.namespace ?? ''}, which is not in this commit`,
      ),
    ];
  const parameters = parametersOf(policy, binding, given);
  if (parameters.length === 0) return [unjudged('its parameters are not in this commit')];

  const severity = binding.validationActions.includes('Deny') ? 'error' : 'warn';
  return parameters.flatMap((parameter) =>
    violations(policy, given, parameter).map((violation) =>
      violation.kind === 'unjudged'
        ? unjudged(violation.text)
        : finding({ kind: 'policy', severity, text: violation.text }),
    ),
  );
}

/** One null where the policy takes none; nothing where those that it takes are not here. */
function parametersOf(
  { paramKind }: AdmissionPolicy,
  { paramRef }: AdmissionBinding,
  { admitted, world }: Case,
): readonly (KubeObject | null)[] {
  if (paramKind === undefined || paramRef === undefined) return [null];
  const namespace = paramRef.namespace ?? admitted.object.metadata.namespace;
  return world.parameters.filter(
    ({ apiVersion, kind, metadata }) =>
      apiVersion === paramKind.apiVersion &&
      kind === paramKind.kind &&
      (metadata.namespace === undefined || metadata.namespace === namespace) &&
      (paramRef.name === undefined || metadata.name === paramRef.name) &&
      (paramRef.selector === undefined || hasLabels(paramRef.selector, metadata.labels ?? {})),
  );
}

interface Violation {
  readonly kind: 'violated' | 'unjudged';
  readonly text: string;
}

function violations(
  policy: AdmissionPolicy,
  given: Case,
  parameter: KubeObject | null,
): readonly Violation[] {
  const known = variablesOf(given, parameter);
  const variables: Record<string, unknown> = {};
  const evaluate = (text: string): Evaluation =>
    expressionOf(text, policy.name).evaluate(known, { variables });
  const holds = (text: string) => isTrue({ text, evaluate: () => evaluate(text) }, {});
  const unjudged = ({ fault }: { readonly fault: string }): Violation => ({ kind: 'unjudged', text: fault });

  for (const { name, expression } of policy.variables) {
    const evaluation = evaluate(expression);
    // Whatever reads one that failed fails with its name, as on the server.
    if (evaluation.kind === 'value') variables[name] = evaluation.value;
  }
  for (const { expression } of policy.matchConditions) {
    const answer = holds(expression);
    if (answer === false) return [];
    if (answer !== true) return [unjudged(answer)];
  }
  return policy.validations.flatMap(({ expression, message, messageExpression }): Violation[] => {
    const answer = holds(expression);
    if (answer === true) return [];
    if (answer !== false) return [unjudged(answer)];
    const told = messageExpression === undefined ? undefined : evaluate(messageExpression);
    const text = told?.kind === 'value' && typeof told.value === 'string' ? told.value : message;
    return [{ kind: 'violated', text: text ?? `fails ${expression}` }];
  });
}

function variablesOf(
  { judged, admitted, world }: Case,
  parameter: KubeObject | null,
): Readonly<Record<string, Json>> {
  const { object, operation, resource } = admitted;
  const { name, namespace } = object.metadata;
  const { apiVersion, kind } = object;
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  const inNamespace = namespace === undefined ? null : { metadata: { name: namespace } };
  return {
    object: judged.object ?? null,
    oldObject: judged.before ?? null,
    params: parameter,
    namespaceObject: world.namespaceOf(object) ?? inNamespace,
    request: {
      operation,
      name,
      namespace: namespace ?? '',
      kind: { group, version, kind },
      resource: { group, version, resource },
      subResource: '',
    },
  };
}
