import * as z from 'zod';
import { nameSchema } from './target.ts';

const keySchema = z.string().min(1).max(317);

const requirementSchema = z.discriminatedUnion('operator', [
  z.strictObject({
    key: keySchema,
    operator: z.enum(['In', 'NotIn']).describe('NotIn holds for clusters without the label, too'),
    values: z.array(z.string()).min(1).max(1000),
  }),
  z.strictObject({ key: keySchema, operator: z.enum(['Exists', 'DoesNotExist']) }),
]);

const labelSelectorSchema = z
  .strictObject({
    matchLabels: z.record(z.string(), z.string()).exactOptional(),
    matchExpressions: z.array(requirementSchema).max(50).exactOptional(),
  })
  .describe('clusters whose labels fit all of it, as Kubernetes reads selectors; {} is all clusters');

/** Clusters by name or by label: of an application, of a stage, of an override, of a freeze. */
export const clusterSelectorSchema = z
  .strictObject({
    names: z
      .array(nameSchema)
      .min(1)
      .exactOptional()
      .describe('clusters by their name in the stack configuration'),
    selector: labelSelectorSchema.exactOptional(),
  })
  .refine((clusters) => (clusters.names === undefined) !== (clusters.selector === undefined), {
    message: 'give either names or selector',
  });
export type ClusterSelector = z.infer<typeof clusterSelectorSchema>;

/** Whether a selector has a cluster; `labelOf` gives undefined for a label that it does not have. */
export function hasCluster(
  { names, selector = {} }: ClusterSelector,
  name: string | undefined,
  labelOf: (key: string) => string | undefined,
): boolean {
  if (names !== undefined) return name !== undefined && names.includes(name);
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(key) === value) &&
    matchExpressions.every((requirement) => fits(requirement, labelOf(requirement.key)))
  );
}

function fits(requirement: z.infer<typeof requirementSchema>, value: string | undefined): boolean {
  if (!('values' in requirement)) return (value !== undefined) === (requirement.operator === 'Exists');
  const isOneOf = value !== undefined && requirement.values.includes(value);
  return isOneOf === (requirement.operator === 'In');
}

/** The same of a cluster as the configuration has it. */
export function choosesCluster(
  wanted: ClusterSelector,
  { name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  // Own members only: `constructor` is a label like any other.
  return hasCluster(wanted, name, (key) => (Object.hasOwn(labels, key) ? labels[key] : undefined));
}
