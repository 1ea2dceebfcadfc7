import * as z from 'zod';
import { commitSchema } from './commit.ts';
import { healthStatusSchema } from './health.ts';
import { objectRefSchema } from './object.ts';
import { runReasonSchema } from './run.ts';
import { acceptedRuleSchema } from './rule.ts';
import { secretVersionsSchema } from './secret-reference.ts';
import { targetSchema } from './target.ts';

/**
 * One object that we applied, or are about to. An entry appears as `intent` before the object is created
 * and leaves only after its deletion is confirmed (rule 1), so a run that dies loses nothing.
 */
export const inventoryEntrySchema = z.object({
  ref: objectRefSchema,
  /** How it was last addressed: apiVersion and plural, so that it can be read and pruned without its manifest. */
  apiVersion: z.string(),
  plural: z.string(),
  state: z.enum(['intent', 'applied', 'deleting']),
  /** True only after the server's 201: pruning is for what we created or were told to adopt. */
  created: z.boolean(),
  adopted: z.boolean().default(false),
  uid: z.string().optional(),
  /** When the intent was written: an object older than that cannot be what came of it. */
  intendedAt: z.string().optional(),
  /** Digest of the desired object as last applied. */
  desiredDigest: z.string().optional(),
  secretVersions: secretVersionsSchema
    .exactOptional()
    .describe('of the values that it refers to, as last applied'),
  /** Marks of the fields of others that an adopted object had already: these are not reported as foreign. */
  baseline: z.array(z.string()).exactOptional(),
  /** Two-phase prune: when a run first found that nothing desires it. Only a later run deletes it. */
  markedAt: z.string().optional(),
  /** Why it is still there although nothing in its application desires it; absent for everything else. */
  kept: z
    .object({
      because: z.enum([
        'grace',
        'confirmation',
        'protection',
        'content',
        'hand-over',
        'finalizers',
        'request',
        'freeze',
      ]),
      since: z.string().describe('of the deletion, for finalizers'),
      message: z.string(),
    })
    .optional(),
});
export type InventoryEntry = z.infer<typeof inventoryEntrySchema>;

const hookPhaseSchema = z.enum(['pre', 'post', 'fail', 'delete', 'post-delete']);
export type HookPhase = z.infer<typeof hookPhaseSchema>;

/** What became of one hook; it runs once for each revision. */
export const hookStateSchema = z.object({
  ref: objectRefSchema,
  apiVersion: z.string(),
  plural: z.string(),
  phase: hookPhaseSchema,
  revision: z.number().int(),
  state: z.enum(['intent', 'running', 'succeeded', 'failed']),
  uid: z.string().optional(),
  at: z.string().describe('when it was intended; with the revision it marks the object that came of it'),
  message: z.string().default(''),
});
export type HookState = z.infer<typeof hookStateSchema>;

export const inventorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  target: targetSchema,
  /** Token of the lease under which it was last claimed: a run with a lower one may not write any more (rule 3). */
  fence: z.number().int().optional(),
  entries: z.record(z.string(), inventoryEntrySchema),
  /** By phase and object key. */
  hooks: z.record(z.string(), hookStateSchema).default({}),
  /** Set while a revision waits for a dependency, a hook or the health of a wave, with neither lease nor group held. */
  waiting: z
    .object({
      revision: z.number().int(),
      since: z.string(),
      until: z.string().exactOptional().describe('absent: for as long as it takes'),
      reason: z.string(),
      /** `dependency`, `rollout`: nothing was touched yet, and the time until then is not that of the revision itself. */
      on: z.enum(['dependency', 'order', 'rollout']).exactOptional(),
      begun: z
        .literal(true)
        .exactOptional()
        .describe(
          'a revision between the applied one and this was begun: what it made must not be taken for undesired',
        ),
    })
    .optional(),
  askedAlone: z
    .object({ revision: z.number().int(), at: z.string() })
    .exactOptional()
    .describe(
      'a person synced single objects of this revision before it was applied: no heal takes them back',
    ),
  holdsSeen: z
    .number()
    .int()
    .exactOptional()
    .describe('a person has synced what was cancelled up to this `seq` of the suspensions: it goes on again'),
  restarted: z
    .object({ runId: z.string(), at: z.string() })
    .exactOptional()
    .describe('workloads were restarted since the last run: health is of that'),
  /** Drift that a person accepted; these rules come after those of the Application. */
  accepted: z.array(acceptedRuleSchema).default([]),
  /** The last run that applied everything it had planned. */
  applied: z
    .object({
      revision: z.number().int().describe('of the desired pointer'),
      snapshot: z.string(),
      sha: z.string(),
      commit: commitSchema.optional().describe('the whole of it, for the records of later heals'),
      runId: z.string(),
      at: z.string(),
      since: z.string().exactOptional().describe('when this revision was first applied'),
      healthy: z.literal(true).exactOptional().describe('this revision was seen Healthy'),
      gone: z
        .literal(true)
        .exactOptional()
        .describe('it was taken away with all of it: what comes next is the first'),
    })
    .optional(),
  /** The newest revision that was begun, where it may be rolled back by itself (`spec.rollback.onFailure`). */
  trial: z
    .object({
      revision: z.number().int(),
      since: z.string().describe('when it was begun'),
      back: z
        .object({ revision: z.number().int(), snapshot: z.string(), commit: commitSchema, runId: z.string() })
        .exactOptional()
        .describe('what was applied before it and healthy; absent: there is nothing to go back to'),
      degradedSince: z.string().exactOptional().describe('since when looks have found it Degraded'),
    })
    .exactOptional(),
  /** The last run that ended, whatever its outcome. */
  lastRun: z
    .object({
      runId: z.string(),
      key: z.string().describe('of its run record'),
      revision: z.number().int(),
      /** Why it ran; of a retry, why the run that it repeats did. */
      reason: runReasonSchema.optional(),
      outcome: z.enum(['applied', 'failed', 'blocked', 'cancelled', 'waiting']),
      at: z.string(),
      message: z.string(),
      /** Counts failures of one revision in a row; the backoff of the next try follows from it. */
      attempt: z.number().int(),
      /** Whether the same revision may pass later, unchanged; when not, only a commit or a person helps. */
      retry: z.boolean().default(false),
      stoppedBy: z
        .string()
        .exactOptional()
        .describe('who cancelled it: this revision goes on when a person asks for it'),
      untouched: z
        .literal(true)
        .exactOptional()
        .describe('no run of this revision came as far as a plan: nothing of it is on the cluster'),
      leftBehind: z
        .literal(true)
        .exactOptional()
        .describe('an earlier revision was begun and never applied: something of it may be on the cluster'),
    })
    .optional(),
  health: z
    .object({
      status: healthStatusSchema,
      message: z.string(),
      at: z.string(),
      since: z.string().exactOptional().describe('since when looks have given this status'),
    })
    .optional(),
});
export type Inventory = z.infer<typeof inventorySchema>;

/** When single objects of which revision were synced alone, and what ends that; undefined where none were. */
export function describeAskedAlone({ askedAlone }: Pick<Inventory, 'askedAlone'>): string | undefined {
  if (askedAlone === undefined) return undefined;
  const { revision, at } = askedAlone;
  return `single objects of revision ${revision} were synced alone at ${at}; \`trueup sync\` applies the rest`;
}
