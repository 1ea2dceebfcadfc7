import * as z from 'zod';
import { commitSchema } from './commit.ts';
import { faultRecordSchema } from './desired.ts';
import { objectHealthSchema, healthStatusSchema } from './health.ts';
import { objectRefSchema } from './object.ts';
import { planSchema } from './plan.ts';
import { secretVersionsSchema } from './secret-reference.ts';
import { targetSchema } from './target.ts';
import { traceSchema } from './trace.ts';

export const runReasonSchema = z.enum([
  'push',
  'sync',
  'heal',
  'retry',
  'health',
  'pending',
  /** Goes on with a revision that waited for a dependency, a hook or a wave. */
  'continue',
  /** Looks again whether a stage of a rollout may begin: one before it is in, or was promoted. */
  'promote',
  /** Another application gave an object up to this one, or took one over from it. */
  'hand-over',
  /** A value that a Secret refers to has another version than the one that was applied. */
  'rotation',
  /** Looks whether a new revision is to be rolled back, for as long as its window lasts. */
  'watch',
  /** A person wants the pods of its workloads replaced; nothing else of it changes. */
  'restart',
]);
export type RunReason = z.infer<typeof runReasonSchema>;

/** Message on the run queues. A hint only: the handler reads current state (rule 4). */
export const runRequestSchema = z.object({
  version: z.literal(1),
  target: targetSchema,
  reason: runReasonSchema,
  /** Of whoever asked: `webhook`, `schedule`, or an IAM user or role for `trueup sync`. */
  requestedBy: z.string(),
  trace: traceSchema.exactOptional().describe('absent: that of the revision'),
  /** Of the desired pointer that whoever asked had seen: what they agreed to holds for that one alone. */
  revision: z.number().int().optional(),
  /** A person saw that this many objects would be pruned, above the cap, and agreed; more than that still stops. */
  confirmPrune: z.number().int().positive().optional(),
  /** Of a rotation: the versions that whoever asked had seen; where they are applied by now, nothing is to be done. */
  secretVersions: secretVersionsSchema.exactOptional(),
  /** Whoever asked wants nothing pruned by this run: what is not desired any more stays, and stays ours. */
  keepUndesired: z.boolean().optional(),
  /** Of the canary: once it is as it should be, it is changed on its cluster, so that a sweep finds it. */
  disturb: z.literal(true).exactOptional(),
  /** Of a sync or restart: keys of the objects that alone are meant. */
  only: z.array(z.string()).min(1).exactOptional(),
  /** Of a restart: when it was asked for, ISO 8601. A message that comes twice restarts once. */
  restartedAt: z.string().exactOptional(),
  /** Of what a person asks for: `seq` of the suspensions then. Who cancels something later means this run too. */
  holdsSeen: z.number().int().exactOptional(),
  /** Of a sync that names no cluster: stages of the rollout are kept in order. */
  staged: z.literal(true).exactOptional(),
});
export type RunRequest = z.infer<typeof runRequestSchema>;

/** What became of one object. `unchanged`: applied, and the server says nothing moved. */
export const objectOutcomeSchema = z.object({
  ref: objectRefSchema,
  outcome: z.enum(['created', 'updated', 'unchanged', 'pruned', 'pruning', 'failed', 'skipped']),
  message: z.string().optional(),
});
export type ObjectOutcome = z.infer<typeof objectOutcomeSchema>;

export const runCountsSchema = z.object({
  created: z.number().int(),
  updated: z.number().int(),
  unchanged: z.number().int(),
  pruned: z.number().int(),
  failed: z.number().int(),
});
export type RunCounts = z.infer<typeof runCountsSchema>;

/** One pass over one target: the plan is written before the first effect, the outcome after the last. */
export const runRecordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  target: targetSchema,
  reason: runReasonSchema,
  requestedBy: z.string(),
  trace: traceSchema.exactOptional().describe('what this run came of'),
  revision: z.number().int(),
  snapshot: z.string(),
  commit: commitSchema,
  startedAt: z.string(),
  only: z.array(z.string()).exactOptional().describe('keys of the objects that alone were asked for'),
  rollback: z
    .object({ by: z.string(), reason: z.string() })
    .exactOptional()
    .describe('who pinned what this run applied, and why'),
  plan: planSchema,
  /** Absent while the run is under way, or for ever when it died: the next run finishes its work. */
  outcome: z
    .object({
      kind: z.enum(['applied', 'failed', 'blocked', 'cancelled', 'waiting']),
      at: z.string(),
      message: z.string(),
      counts: runCountsSchema,
      objects: z.array(objectOutcomeSchema),
      faults: z.array(faultRecordSchema),
    })
    .optional(),
  health: z
    .object({ status: healthStatusSchema, at: z.string(), objects: z.array(objectHealthSchema) })
    .optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;
