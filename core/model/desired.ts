import * as z from 'zod';
import { deletionPolicySchema, dependencySchema, syncModeSchema } from './application.ts';
import { commitSchema } from './commit.ts';
import { freezeSchema } from './freeze.ts';
import { followedChartSchema } from './helm.ts';
import { environmentBoundsSchema } from './preview-environments.ts';
import { driftModeSchema, healthCheckSchema, ruleSchema } from './rule.ts';
import { rollbackSettingsSchema } from './rollback.ts';
import { rolloutSettingsSchema } from './rollout.ts';
import { targetSchema } from './target.ts';
import { traceSchema } from './trace.ts';

/** The switches of an application as of the commit that the pointer follows. */
export const settingsSchema = z.object({
  sync: syncModeSchema,
  drift: driftModeSchema,
  prune: z.boolean(),
  onDelete: deletionPolicySchema,
  intervalSeconds: z.number().exactOptional(),
  timeoutSeconds: z.number().default(900),
  adopt: z.boolean().default(false),
  rules: z.array(ruleSchema).default([]),
  dependsOn: z.array(dependencySchema).default([]),
  /** As whom writes and dry runs are made. */
  impersonate: z.object({ user: z.string(), groups: z.array(z.string()) }).exactOptional(),
  health: z.array(healthCheckSchema).default([]),
  freeze: z.array(freezeSchema).default([]),
  project: z.string().exactOptional(),
  schedule: z.array(freezeSchema).exactOptional(),
  rollout: rolloutSettingsSchema.exactOptional(),
  rollback: rollbackSettingsSchema.exactOptional(),
  environment: environmentBoundsSchema.exactOptional().describe('of a preview environment'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What an Application that says nothing of it has. */
export const defaultSettings: Settings = {
  sync: 'auto',
  drift: 'heal',
  prune: true,
  onDelete: 'orphan',
  timeoutSeconds: 900,
  adopt: false,
  rules: [],
  dependsOn: [],
  health: [],
  freeze: [],
};

export const faultRecordSchema = z.object({ subject: z.string(), message: z.string() });
export type FaultRecord = z.infer<typeof faultRecordSchema>;

const pinned = { by: z.string(), reason: z.string(), at: z.string() };
const rejectsSchema = z.object({
  revision: z.number().int(),
  snapshot: z.string(),
  commit: commitSchema,
  told: z.literal(true).exactOptional().describe('the run was asked for, and the event published'),
});

/**
 * Which snapshot a target should have now (rule 2 of the design). Moves by compare-and-set;
 * `seq` grows with every write, since an ETag repeats when its content does.
 */
export const desiredPointerSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  target: targetSchema,
  repository: z.string(),
  ref: z.string(),
  /** `gone`: the application left Git or the cluster left its selector (rule 7). */
  state: z.enum(['present', 'gone']),
  /** Grows only when snapshot, settings or state change: what a run must answer to. */
  revision: z.number().int(),
  trace: traceSchema.exactOptional().describe('of the push that gave this revision'),
  snapshot: z.string().describe('digest'),
  objects: z.number().int(),
  settings: settingsSchema,
  /** Set by a rollback: until it is lifted or runs out, commits are examined and not followed. */
  pin: z
    .object({
      ...pinned,
      until: z.string().optional(),
      rejects: rejectsSchema
        .exactOptional()
        .describe(
          'of a rollback that nobody asked for: what failed. A commit that gives other objects lifts the pin',
        ),
      over: z
        .object({ ...pinned, rejects: rejectsSchema })
        .exactOptional()
        .describe(
          "of a person's: the rollback that nobody asked for which it was set over, and which holds again when it has run out",
        ),
    })
    .optional(),
  /** Rolled back by itself once, and wanted by a person all the same: it is not rolled back again. */
  insisted: z.string().exactOptional().describe('digest of a snapshot'),
  /** While it is pinned: what the pointer would say of the newest commit that was followed. */
  held: z
    .object({
      state: z.enum(['present', 'gone']),
      snapshot: z.string(),
      objects: z.number().int(),
      settings: settingsSchema,
      commit: commitSchema,
    })
    .optional(),
  /** The commit whose content the snapshot is. */
  commit: commitSchema,
  /**
   * The commit that last changed anything here. Newer ones that leave it as it is are told by the head in the state of
   * its repository, which was examined for all its applications.
   */
  examined: z.object({ sha: z.string(), at: z.string() }),
  /** Set while the newest commit cannot be rendered: the first one with these faults. The snapshot is that of the last good one. */
  failed: z.object({ sha: z.string(), at: z.string(), faults: z.array(faultRecordSchema) }).optional(),
});
export type DesiredPointer = z.infer<typeof desiredPointerSchema>;

/** What a repository's tracked ref last gave: tells a deleted application from one never seen. */
export const repositoryStateSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  ref: z.string(),
  head: z.object({
    sha: z.string(),
    at: z.string(),
    committed: z
      .string()
      .exactOptional()
      .describe('ISO 8601: when Git says that it was made; absent: not looked at'),
    tag: z.string().exactOptional().describe('full ref, where the highest version of a range is followed'),
  }),
  /** The Git host refused: nothing was read at that time, and the next poll asks again though the head be the same. */
  refused: z.literal(true).exactOptional(),
  /** Charts of the head that are followed by a range of versions: a poll sees when one leads elsewhere. */
  charts: z.array(followedChartSchema).exactOptional(),
  /** Pointers that a commit is about to move, told before the first of them is: until that is done, any of them may be old. */
  moving: z.object({ sha: z.string(), at: z.string(), targets: z.array(z.string()) }).exactOptional(),
  /** Whether at least one application of that commit could not be followed. */
  failing: z.boolean(),
  /** The first few of what is wrong with it. */
  faults: z.array(faultRecordSchema).exactOptional(),
  /** Application name to the file that defines it and the clusters it chose. */
  applications: z.record(
    z.string(),
    z.object({
      file: z.string(),
      clusters: z.array(z.string()),
      stages: z.array(z.array(z.string())).exactOptional().describe('clusters of each stage of its rollout'),
    }),
  ),
});
export type RepositoryState = z.infer<typeof repositoryStateSchema>;
