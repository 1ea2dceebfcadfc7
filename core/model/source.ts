import * as z from 'zod';
import { clusterSelectorSchema } from './cluster-selector.ts';
import { globSchema } from './glob.ts';
import { chartSchema, helmSchema } from './helm.ts';
import { kustomizeOptionsSchema } from './kustomize-options.ts';
import { substituteSchema } from './substitute.ts';
import { nameSchema } from './target.ts';

/** A path inside the repository, `.` for all of it. Climbing out is refused here and again by the checkout. */
const pathSchema = z
  .string()
  .min(1)
  .regex(/^[^\\\p{Cc}]*$/u, 'must be spelled with / and without control characters')
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'must stay inside the repository',
  )
  // One spelling: `./apps/web/` is `apps/web`.
  .transform(
    (path) =>
      path
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/') || '.',
  );

const { valueFiles, values, parameters } = helmSchema.shape;
const { variables, labels } = substituteSchema.shape;

const overrideSchema = z
  .strictObject({
    clusters: clusterSelectorSchema.describe('for which it holds, of those that the application is on'),
    path: pathSchema.exactOptional().describe('in place of source.path'),
    helm: z
      .strictObject({ valueFiles, values, parameters })
      .exactOptional()
      .describe('after those of the source: they win over them'),
    kustomize: kustomizeOptionsSchema
      .exactOptional()
      .describe('each member in place of that of source.kustomize'),
    substitute: z
      .strictObject({ variables, labels })
      .exactOptional()
      .describe('beside those of the source, and in place of those of the same name'),
  })
  .describe('of several that hold for a cluster, later ones win');
export type SourceOverride = z.infer<typeof overrideSchema>;

const spelledSchema = z.strictObject({
  path: pathSchema
    .exactOptional()
    .describe(
      'folder in the repository; with chart, the one that value files are relative to, default all of it',
    ),
  repository: nameSchema
    .exactOptional()
    .describe(
      'of the stack configuration: the folder is read there, at the head of what it tracks; default: the one that this Application stands in',
    ),
  renderer: z
    .enum(['auto', 'plain', 'kustomize', 'helm'])
    .default('auto')
    .describe(
      'auto: Kustomize when the folder holds a kustomization, Helm when it holds a Chart.yaml, else plain YAML and JSON, recursive',
    ),
  include: z
    .array(globSchema)
    .min(1)
    .exactOptional()
    .describe('of plain files, those whose path below source.path matches one; default: all'),
  exclude: z.array(globSchema).exactOptional().describe('of plain files, those that are left out'),
  kustomize: kustomizeOptionsSchema.exactOptional().describe('added to the kustomization in source.path'),
  chart: chartSchema.exactOptional().describe('a chart of a Helm repository or an OCI registry'),
  helm: helmSchema.exactOptional().describe('how the chart is rendered'),
  substitute: substituteSchema
    .exactOptional()
    .describe('replace ${NAME} in the rendered objects; left out, they stay as they are'),
  overrides: z
    .array(overrideSchema)
    .min(1)
    .max(100)
    .exactOptional()
    .describe('what differs on some clusters'),
});

/** What an application is rendered from. */
export const sourceSchema = spelledSchema
  .refine(({ path, chart }) => path !== undefined || chart !== undefined, {
    path: ['path'],
    message: 'give the folder to render, or a chart',
  })
  .refine(({ renderer, chart }) => chart === undefined || renderer === 'auto' || renderer === 'helm', {
    path: ['renderer'],
    message: 'must be helm, or left out, where there is a chart',
  })
  .transform(({ path = '.', ...source }) => ({ path, ...source }));
