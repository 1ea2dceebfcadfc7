import * as z from 'zod';
import { choosesCluster, clusterSelectorSchema } from './cluster-selector.ts';
import { durationSchema, secondsOf } from './duration.ts';
import { nameSchema } from './target.ts';

const maxParallelSchema = z.union(
  [z.int().min(1), z.string().regex(/^([1-9][0-9]?|100)%$/)],
  'must be a number, or a percentage such as 25%',
);

const stageSchema = z.strictObject({
  name: nameSchema,
  clusters: clusterSelectorSchema
    .exactOptional()
    .describe('of those that the application is on; default, in one stage: all that no other stage has'),
  maxParallel: maxParallelSchema
    .exactOptional()
    .describe('targets of the stage that are under way at once, as a number or in percent; default: all'),
  soak: durationSchema
    .exactOptional()
    .describe('how long every target of the stage must have been healthy before the next stage begins'),
  pause: z.boolean().exactOptional().describe('the next stage waits for `trueup promote`'),
});

/** Names of CloudWatch alarms. */
export const alarmNamesSchema = z.array(z.string().min(1).max(255)).min(1).max(20);

/** How a new revision spreads over the clusters of an application. */
export const rolloutSchema = z
  .strictObject({
    stages: z.array(stageSchema).min(1).max(20),
    alarms: alarmNamesSchema
      .exactOptional()
      .describe('CloudWatch alarms, in the account and region of the installation, that must be OK to go on'),
  })
  .refine(({ stages }) => new Set(stages.map(({ name }) => name)).size === stages.length, {
    path: ['stages'],
    message: 'must have a name each',
  })
  .refine(({ stages }) => stages.filter(({ clusters }) => clusters === undefined).length <= 1, {
    path: ['stages'],
    message: 'may leave out clusters in one stage only',
  });
export type Rollout = z.infer<typeof rolloutSchema>;

/** The same as settings of a target: who is in which stage stands with the state of its repository. */
export const rolloutSettingsSchema = z.object({
  stages: z.array(
    z.object({
      name: z.string(),
      maxParallel: maxParallelSchema.exactOptional(),
      soakSeconds: z.number().exactOptional(),
      pause: z.literal(true).exactOptional(),
    }),
  ),
  alarms: z.array(z.string()),
});
export type RolloutSettings = z.infer<typeof rolloutSettingsSchema>;

export function rolloutSettings({ stages, alarms = [] }: Rollout): RolloutSettings {
  return {
    stages: stages.map(({ name, maxParallel, soak, pause }) => ({
      name,
      ...(maxParallel !== undefined && { maxParallel }),
      ...(soak !== undefined && { soakSeconds: secondsOf(soak) }),
      ...(pause === true && { pause }),
    })),
    alarms,
  };
}

interface LabelledCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The clusters of each stage, in their order; a cluster is in the first stage that chooses it. Those that none chooses are
 * in the stage without `clusters`, and where there is no such stage they come last, in one more.
 */
export function clustersByStage({ stages }: Rollout, clusters: readonly LabelledCluster[]): string[][] {
  const rest = stages.findIndex((stage) => stage.clusters === undefined);
  const byStage = Map.groupBy(clusters, (cluster) => {
    const chosen = stages.findIndex(
      (stage) => stage.clusters !== undefined && choosesCluster(stage.clusters, cluster),
    );
    if (chosen !== -1) return chosen;
    return rest === -1 ? stages.length : rest;
  });
  const count = byStage.has(stages.length) ? stages.length + 1 : stages.length;
  return Array.from({ length: count }, (_, stage) => (byStage.get(stage) ?? []).map(({ name }) => name));
}

/** A person's word that a stage is good enough, whatever it still waits for. */
const promotionSchema = z.object({
  stage: z.string(),
  by: z.string(),
  reason: z.string().exactOptional(),
  at: z.string(),
});

/** Newest first. One holds for what the pointers said when it was given. */
export const promotionsSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  application: z.string(),
  promotions: z.array(promotionSchema),
});
export type Promotion = z.infer<typeof promotionSchema>;
