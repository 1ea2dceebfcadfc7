import * as z from 'zod';
import { clusterSelectorSchema } from './cluster-selector.ts';
import { durationSchema } from './duration.ts';
import { freezeSchema } from './freeze.ts';
import { imagePolicySchema, policyName } from './image-policy.ts';
import { previewEnvironmentsSchema } from './preview-environments.ts';
import { rollbackSchema } from './rollback.ts';
import { rolloutSchema } from './rollout.ts';
import { driftModeSchema, expressionSchema, healthCheckSchema, ruleSchema } from './rule.ts';
import { sourceSchema } from './source.ts';
import { nameSchema } from './target.ts';

export const apiVersion = 'trueup.dev/v1';

export const syncModeSchema = z.enum(['auto', 'manual']);
export const deletionPolicySchema = z.enum(['orphan', 'prune']);

/** Another application that must be applied and healthy before this one is touched. */
export const dependencySchema = z.strictObject({
  application: nameSchema,
  cluster: nameSchema.exactOptional().describe('where it runs; default: the same cluster'),
  ready: expressionSchema
    .exactOptional()
    .describe('CEL over `dependency` (sync, health, revision, commit) in place of applied and Healthy'),
});
export type Dependency = z.infer<typeof dependencySchema>;

const impersonateSchema = z
  .strictObject({
    serviceAccount: z
      .string()
      .regex(/^([-a-z0-9]+\/)?[-a-z0-9.]+$/, 'must be NAME or NAMESPACE/NAME')
      .optional()
      .describe('of the namespace of the application when it names none'),
    groups: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(({ serviceAccount, groups }) => serviceAccount !== undefined || groups !== undefined, {
    message: 'give serviceAccount or groups',
  });

const otherSourcesSchema = z
  .array(
    z.strictObject({
      ref: nameSchema
        .refine((ref) => ref !== 'chart', 'is what the chart itself is called; choose another name')
        .describe('how value files name it'),
      repository: nameSchema.describe('of the stack configuration, read at the head of what it tracks'),
    }),
  )
  .max(20)
  .refine(
    (sources) =>
      new Set(sources.map(({ ref }) => ref)).size === sources.length &&
      new Set(sources.map(({ repository }) => repository)).size === sources.length,
    'must name each ref and each repository once',
  );

/** What to deploy where. Its JSON Schema is published under `docs/reference/`. */
export const applicationSchema = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('Application'),
  metadata: z.strictObject({
    name: nameSchema.describe('unique over all repositories of the installation'),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.strictObject({
    project: nameSchema
      .exactOptional()
      .describe(
        'of the stack configuration, which bounds what it may do; default: that of the repository, else `default`',
      ),
    source: sourceSchema,
    sources: otherSourcesSchema
      .exactOptional()
      .describe('other repositories that the source takes values from, as $REF/PATH'),
    clusters: clusterSelectorSchema,
    namespace: z.string().min(1).max(63).describe('for namespaced objects that name none'),
    sync: syncModeSchema.default('auto').describe('auto: a push applies; manual: it waits for `trueup sync`'),
    drift: driftModeSchema
      .default('heal')
      .describe('heal: put right what somebody changed; observe: only report it; ignore: do not look'),
    prune: z.boolean().default(true).describe('delete what we created and Git no longer has'),
    onDelete: deletionPolicySchema
      .default('orphan')
      .describe('when this Application is gone from Git: leave its objects, or prune them'),
    interval: durationSchema
      .optional()
      .describe('least time between drift checks; default is that of the stack'),
    timeout: durationSchema
      .default('15m')
      .describe('longest that a revision may wait for its hooks, its waves and their health'),
    adopt: z
      .boolean()
      .default(false)
      .describe('take over objects that exist already, from kubectl, Helm, Argo CD and Flux alike'),
    rules: z.array(ruleSchema).max(200).default([]),
    dependsOn: z.array(dependencySchema).max(50).default([]),
    impersonate: impersonateSchema
      .optional()
      .describe('apply and prune with the rights of a service account or of groups'),
    health: z.array(healthCheckSchema).max(100).default([]),
    images: z
      .array(imagePolicySchema)
      .max(50)
      .refine(
        (images) => new Set(images.map(policyName)).size === images.length,
        'two of them have one name, by default the last part of the image: give one a `name`',
      )
      .default([])
      .describe('images that are followed: `trueup image` writes a newer one into the repository'),
    rollout: rolloutSchema
      .exactOptional()
      .describe('in which order its clusters get a new revision; default: all at once'),
    rollback: rollbackSchema
      .exactOptional()
      .describe('what becomes of a revision that turns out bad; default: a person decides'),
    previewEnvironments: previewEnvironmentsSchema
      .exactOptional()
      .describe('run it for each pull request too, apart; default: it is not'),
    freeze: z
      .array(freezeSchema)
      .max(50)
      .default([])
      .describe('times in which nothing is applied, healed or pruned but by `trueup sync`'),
    schedule: z
      .array(freezeSchema)
      .min(1)
      .max(50)
      .exactOptional()
      .describe('the only times in which that is done'),
  }),
});
export type Application = z.infer<typeof applicationSchema>;
