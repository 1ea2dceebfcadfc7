import * as z from 'zod';

/**
 * `heal`: put right what somebody changed; `observe`: record and alarm only; `ignore`: no drift at all, and an apply
 * leaves the value of others as it is.
 */
export const driftModeSchema = z.enum(['heal', 'observe', 'ignore']);
export type DriftMode = z.infer<typeof driftModeSchema>;

/** Who wins a field that we declare and somebody else owns. `yield` leaves it to them; `fail` blocks the object. */
export const conflictPolicySchema = z.enum(['override', 'yield', 'fail']);
export type ConflictPolicy = z.infer<typeof conflictPolicySchema>;

/** What to do when a change touches a field that Kubernetes never lets change. */
export const immutablePolicySchema = z.enum(['fail', 'recreate', 'orphan-and-recreate']);
export type ImmutablePolicy = z.infer<typeof immutablePolicySchema>;

const pattern = z.string().min(1).max(253);

/** Objects by what they are; each part may hold `*` for any run of characters, and a part left out fits all. */
export const matchSchema = z.strictObject({
  group: z.string().max(253).exactOptional().describe('API group; empty for the core group'),
  kind: pattern.exactOptional(),
  namespace: pattern.exactOptional(),
  name: pattern.exactOptional(),
});
export type Match = z.infer<typeof matchSchema>;

/** A CEL expression; its syntax is checked when the commit is read. */
export const expressionSchema = z.string().min(1).max(4000);

/**
 * How drift, conflicts and immutable fields are handled for some objects, or only for some of their fields. Of several
 * rules that say something on one matter the last that fits wins; one that names fields, managers or `when` goes before
 * one for whole objects.
 */
export const ruleSchema = z.strictObject({
  match: matchSchema.default({}),
  fields: z
    .array(z.string().regex(/^(\/.*)?$/, 'must be a JSON pointer, such as /spec/replicas'))
    .min(1)
    .exactOptional()
    .describe(
      'JSON pointers, each with all beneath it; `*` for any member, and list items by place or by key: ' +
        '/spec/template/spec/containers/[name="app"]/image',
    ),
  managers: z
    .array(z.string().min(1))
    .min(1)
    .exactOptional()
    .describe('fields whose live value one of these owns'),
  when: expressionSchema
    .exactOptional()
    .describe('CEL over `object` (live) and `field` (path, desired, live, managers); must give a bool'),
  drift: driftModeSchema.exactOptional(),
  conflicts: conflictPolicySchema.exactOptional(),
  immutable: immutablePolicySchema.exactOptional(),
  reason: z.string().max(500).exactOptional().describe('why, for those who read it later'),
});
export type Rule = z.infer<typeof ruleSchema>;

/** A rule that a person made out of a drift they accept; kept with the inventory until Git says it. */
export const acceptedRuleSchema = z.object({ rule: ruleSchema, by: z.string(), at: z.string() });
export type AcceptedRule = z.infer<typeof acceptedRuleSchema>;

/** Health of kinds that no built-in rule knows: the first expression that is true names the status. */
export const healthCheckSchema = z
  .strictObject({
    match: matchSchema.default({}),
    degraded: expressionSchema.exactOptional(),
    progressing: expressionSchema.exactOptional(),
    suspended: expressionSchema.exactOptional(),
    healthy: expressionSchema.exactOptional().describe('when none is true, the object is Progressing'),
    message: expressionSchema.exactOptional().describe('CEL that gives the text shown'),
  })
  .refine(
    ({ degraded, progressing, healthy, suspended }) =>
      [degraded, progressing, healthy, suspended].some(Boolean),
    {
      message: 'give at least one of degraded, progressing, suspended and healthy',
    },
  );
export type HealthCheck = z.infer<typeof healthCheckSchema>;
