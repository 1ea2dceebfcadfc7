import * as z from 'zod';
import { jsonObjectSchema } from './json.ts';
import { lookupDeclarationsSchema } from './lookup.ts';
import { nameSchema } from './target.ts';

const versionSchema = z
  .string()
  .min(1)
  .max(100)
  .describe('exact, or a range such as 6.x or ">=6.1 <7", of which the newest is taken');

/** Whether it names one version and not several. */
export function isExactVersion(wanted: string): boolean {
  return /^v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][-.+0-9A-Za-z]+)?$/.test(wanted);
}

/** A chart that is kept elsewhere than in Git. Where from is declared in the stack configuration (`sources.charts`). */
export const chartSchema = z.union([
  z.strictObject({
    repository: z.url({ protocol: /^https?$/ }).describe('address of the Helm repository'),
    name: z.string().regex(/^[A-Za-z0-9][-._A-Za-z0-9]*$/, 'must be the name of a chart'),
    version: versionSchema,
  }),
  z.strictObject({
    oci: z
      .string()
      .regex(/^oci:\/\/[^/@\s]+(?:\/[-._a-z0-9]+)+$/, 'must be oci://HOST/PATH/CHART, the version apart'),
    version: versionSchema,
  }),
]);
export type ChartReference = z.infer<typeof chartSchema>;

/** A range of versions, and the version that it led to. */
export const followedChartSchema = z.object({ chart: chartSchema, version: z.string() });
export type FollowedChart = z.infer<typeof followedChartSchema>;

const parameterSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[^=,\s]+$/, 'must be a path such as image.tag')
    .describe('path of a value, as for `helm --set`'),
  value: z.string(),
  forceString: z.boolean().default(false).describe('text, even where it looks like a number or true'),
});

/** How a chart is rendered. Later ones win: the chart's values, `valueFiles` in order, `values`, `parameters`. */
export const helmSchema = z.strictObject({
  releaseName: nameSchema.exactOptional().describe('default: the name of the application'),
  valueFiles: z
    .array(z.string().min(1))
    .max(100)
    .default([])
    .describe(
      'relative to source.path; /PATH from the root of the repository, $NAME/PATH of another source, $chart/PATH of the chart itself; *, ** and ? for several',
    ),
  ignoreMissingValueFiles: z.boolean().default(false),
  values: jsonObjectSchema.default({}),
  parameters: z.array(parameterSchema).max(500).default([]),
  skipCrds: z.boolean().default(false).describe('leave out the folder crds'),
  skipSchemaValidation: z.boolean().default(false).describe('do not check values by values.schema.json'),
  lookup: z
    .union([z.enum(['refuse', 'empty']), lookupDeclarationsSchema])
    .default('refuse')
    .describe(
      'what templates may look up on the cluster, read by the sweep; empty: they find nothing; refuse: a chart that depends on it is a fault',
    ),
  nondeterministic: z
    .enum(['fail', 'ignore'])
    .default('fail')
    .describe('what happens when two renderings of the same input differ, as by randAlphaNum or now'),
});
export type HelmOptions = z.infer<typeof helmSchema>;
