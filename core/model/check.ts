import * as z from 'zod';
import { healthStatusSchema } from './health.ts';

/** What the last sweep saw of one target. A check that failed or was partial is Unknown, never Synced (rule 5). */
export const targetCheckSchema = z.object({
  at: z.string().describe('of the last complete check; while there was none, when the target was first seen'),
  sync: z.enum(['Synced', 'Drifted', 'Pending', 'Reconciling', 'Unknown']),
  reason: z.string().describe('why it is not Synced, in a sentence; empty when it is'),
  drifted: z.number().int().describe('objects with drift'),
  revision: z.number().int().describe('of the desired pointer that was applied, 0 while none is'),
  health: healthStatusSchema,
  healthMessage: z.string(),
  lastHealth: healthStatusSchema
    .exactOptional()
    .describe('while the health is Unknown: what it was when it was last known'),
  healthSince: z.string().exactOptional().describe('since when the health is what it is'),
  healthChanges: z
    .array(
      z.object({ at: z.string(), from: healthStatusSchema, to: healthStatusSchema, message: z.string() }),
    )
    .exactOptional()
    .describe('the last few that sweeps saw, oldest first; what they could not look at is no change'),
  preview: z
    .literal(true)
    .exactOptional()
    .describe(
      'of a preview environment: whoever opened the pull request sees to it, and no alarm calls anybody',
    ),
  failed: z
    .literal(true)
    .exactOptional()
    .describe(
      'its last run failed or was blocked and it was not found Synced since, or its newest revision was rolled back by itself: it is not what Git says',
    ),
  triedAt: z.string().exactOptional().describe('of a look since `at` that could not be completed'),
  fullAt: z
    .string()
    .exactOptional()
    .describe('when every object was last compared exactly, changed or not; absent: not yet'),
});
export type TargetCheck = z.infer<typeof targetCheckSchema>;

/** One object per cluster and sweep, however many targets it has: a clean sweep costs one PUT. */
export const clusterCheckSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  cluster: z.string(),
  at: z.string(),
  /** Of the request that the sweep answered: whoever asked for one can tell that it is done. */
  requestedBy: z.string().optional(),
  /** Set while the cluster cannot be read: gone, unreachable, wrong CA, access expired. */
  unreachable: z.string().optional(),
  oldestAt: z
    .string()
    .exactOptional()
    .describe('since when its longest unchecked target waits, what that one allows taken off'),
  /** Highest that a list of this cluster ever had: a lower one later means a restored server. */
  resourceVersion: z.string().exactOptional(),
  /** The last time that the server turned out to be older than it had been. */
  restored: z.object({ at: z.string(), from: z.string(), to: z.string() }).exactOptional(),
  /** The last time that an exact check found drift where nothing had seemed to change. */
  missed: z.object({ at: z.string(), objects: z.array(z.string()) }).exactOptional(),
  targets: z.record(z.string(), targetCheckSchema),
});
export type ClusterCheck = z.infer<typeof clusterCheckSchema>;
