import * as z from 'zod';
import { clusterSelectorSchema } from './cluster-selector.ts';
import { expressionSchema, matchSchema } from './rule.ts';
import { nameSchema } from './target.ts';

/** `error`: the change should not be merged as it is; `warn`: a person should know. */
const severitySchema = z.enum(['error', 'warn']);
export type Severity = z.infer<typeof severitySchema>;

/** What every rendered object of some kinds has to keep to; only previews and `trueup diff` look at it (issue 7). */
export const policyRuleSchema = z.strictObject({
  name: nameSchema,
  match: z
    .array(matchSchema)
    .min(1)
    .max(50)
    .default([{}])
    .describe('objects that one of these fits; default: all'),
  clusters: clusterSelectorSchema.exactOptional().describe('default: all clusters'),
  expression: expressionSchema.describe(
    'CEL over `object`, and over `oldObject`, which is null for an object that is new; must give true. One that fails counts as false',
  ),
  message: z.string().min(1).max(500).describe('what to do, for whoever breaks the rule'),
  severity: severitySchema.default('error'),
});
export type PolicyRule = z.infer<typeof policyRuleSchema>;
