import * as z from 'zod';
import { Stop, messageOf } from '../errors.ts';
import { expressionOf } from '../expression.ts';
import { describeRef, groupOf, refOf, type KubeObject } from '../model/object.ts';

const words = z.array(z.string());

/** A selector of labels, as Kubernetes has it. */
const selectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).exactOptional(),
  matchExpressions: z
    .array(
      z.discriminatedUnion('operator', [
        z.object({ key: z.string(), operator: z.enum(['In', 'NotIn']), values: words }),
        z.object({ key: z.string(), operator: z.enum(['Exists', 'DoesNotExist']) }),
      ]),
    )
    .exactOptional(),
});

const resourceRuleSchema = z.object({
  apiGroups: words,
  apiVersions: words,
  operations: words,
  resources: words,
  resourceNames: words.default([]),
  scope: z.enum(['*', 'Cluster', 'Namespaced']).default('*'),
});
export type ResourceRule = z.infer<typeof resourceRuleSchema>;

const matchResourcesSchema = z.object({
  resourceRules: z.array(resourceRuleSchema).default([]),
  excludeResourceRules: z.array(resourceRuleSchema).default([]),
  namespaceSelector: selectorSchema.default({}),
  objectSelector: selectorSchema.default({}),
  matchPolicy: z.enum(['Equivalent', 'Exact']).default('Equivalent'),
});
export type MatchResources = z.infer<typeof matchResourcesSchema>;

const named = { name: z.string(), expression: z.string() };

const policySchema = z.object({
  paramKind: z.object({ apiVersion: z.string(), kind: z.string() }).exactOptional(),
  matchConstraints: matchResourcesSchema,
  matchConditions: z.array(z.object(named)).default([]),
  variables: z.array(z.object(named)).default([]),
  validations: z
    .array(
      z.object({
        expression: z.string(),
        message: z.string().exactOptional(),
        messageExpression: z.string().exactOptional(),
      }),
    )
    .default([]),
});

const bindingSchema = z.object({
  policyName: z.string(),
  validationActions: z.array(z.enum(['Deny', 'Warn', 'Audit'])).min(1),
  matchResources: matchResourcesSchema.exactOptional(),
  paramRef: z
    .object({
      name: z.string().exactOptional(),
      namespace: z.string().exactOptional(),
      selector: selectorSchema.exactOptional(),
    })
    .exactOptional(),
});

export type AdmissionBinding = z.infer<typeof bindingSchema>;
export type AdmissionPolicy = z.infer<typeof policySchema> & {
  readonly name: string;
  readonly bindings: readonly AdmissionBinding[];
};

const group = 'admissionregistration.k8s.io';

/** Whether an object is one that no ValidatingAdmissionPolicy is asked of, being what it is made of. */
export function isOfAdmission({ apiVersion, kind }: KubeObject): boolean {
  return groupOf(apiVersion) === group && kind.startsWith('ValidatingAdmissionPolic');
}

/**
 * The ValidatingAdmissionPolicies among the objects, each with the bindings that are there, by name. Of two of a name the
 * first counts. Throws Stop, with the object and the place, for one that the API server would not take.
 */
export function admissionPolicies(objects: readonly KubeObject[]): readonly AdmissionPolicy[] {
  const ofAdmission = objects.filter(isOfAdmission);
  const bindings = ofAdmission
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')
    .map((object) => parsed(bindingSchema, object));
  const policies = new Map<string, AdmissionPolicy>();
  for (const object of ofAdmission) {
    const { name } = object.metadata;
    if (object.kind !== 'ValidatingAdmissionPolicy' || policies.has(name)) continue;
    const policy = parsed(policySchema, object);
    checkExpressions(policy, describeRef(refOf(object)));
    const own = bindings.filter(({ policyName }) => policyName === name);
    policies.set(name, { ...policy, name, bindings: own });
  }
  return [...policies.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parsed<T>(schema: z.ZodType<T>, object: KubeObject): T {
  const result = schema.safeParse(object['spec']);
  if (result.success) return result.data;
  const message = result.error.issues
    .map(({ path, message: why }) => `${['spec', ...path].join('.')}: ${why}`)
    .join('; ');
  throw new Stop({ subject: describeRef(refOf(object)), message });
}

function checkExpressions(policy: z.infer<typeof policySchema>, subject: string): void {
  const texts = [
    ...[...policy.matchConditions, ...policy.variables].map(({ expression }) => expression),
    ...policy.validations.flatMap(({ expression, messageExpression }) => [
      expression,
      messageExpression ?? '""',
    ]),
  ];
  const faults = texts.flatMap((text) => {
    try {
      expressionOf(text, subject);
      return [];
    } catch (error) {
      return [{ subject, message: messageOf(error).slice(subject.length + 2) }];
    }
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}
