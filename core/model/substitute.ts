import * as z from 'zod';

/** As shells and Flux have it. */
export const variableNameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores, and begin with no digit');

/** Variables of one application. Of one name the first wins: variables, labels, the cluster's, the installation's. */
export const substituteSchema = z.strictObject({
  variables: z
    .record(variableNameSchema, z.string())
    .default({})
    .describe('for all clusters; text, quoted where it looks like a number and is none'),
  labels: z
    .record(variableNameSchema, z.string().min(1))
    .default({})
    .describe('variable to the label of the cluster whose value it has'),
});
export type Substitution = z.infer<typeof substituteSchema>;
