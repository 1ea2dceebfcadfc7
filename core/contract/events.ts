import * as z from 'zod';
import { driftModeSchema } from '../model/rule.ts';
import { commitSchema } from '../model/commit.ts';
import { faultRecordSchema } from '../model/desired.ts';
import { healLoopSchema, objectDriftSchema, whoSchema } from '../model/drift.ts';
import { healthStatusSchema } from '../model/health.ts';
import { imageSchema } from '../model/image.ts';
import { runCountsSchema, runReasonSchema } from '../model/run.ts';
import { targetSchema } from '../model/target.ts';
import { traceSchema } from '../model/trace.ts';

/** `source` of every event of ours. */
export const eventSource = 'trueup';

const envelope = {
  version: z.literal(1),
  at: z.string().describe('ISO 8601'),
  trace: traceSchema.exactOptional(),
};

/** Detail of each event by its detail-type. Versioned: a reader ignores what it does not know. */
export const eventSchemas = {
  PushReceived: z.object({
    ...envelope,
    deliveryId: z.string(),
    provider: z.string(),
    repository: z.string().describe('name in the stack configuration'),
    ref: z.string(),
    before: z.string(),
    after: z.string(),
    deleted: z.boolean(),
    anew: z
      .array(z.string())
      .exactOptional()
      .describe('applications whose snapshot was lost: these are rendered though nothing changed'),
  }),
  ImagePushed: z.object({
    ...envelope,
    deliveryId: z.string(),
    provider: z.string(),
    ...imageSchema.shape,
  }),
  PullRequestChanged: z.object({
    ...envelope,
    deliveryId: z.string(),
    provider: z.string(),
    repository: z.string().describe('name in the stack configuration'),
    id: z.string().describe('as the host counts pull requests'),
    action: z
      .enum(['opened', 'updated', 'closed', 'reviewed'])
      .describe('a hint: the host is asked how it stands'),
    head: z.object({ branch: z.string(), sha: z.string() }).describe('the commit may be abbreviated'),
    base: z.object({ branch: z.string() }),
  }),
  PreviewAnswered: z.object({
    ...envelope,
    repository: z.string(),
    id: z.string().describe('of the pull request'),
    head: z.string(),
    cluster: z.string().describe('whose answer is stored'),
  }),
  SnapshotReady: z.object({
    ...envelope,
    target: targetSchema,
    commit: commitSchema,
    snapshot: z.string(),
    objects: z.number().int(),
    revision: z.number().int(),
    deliveryId: z.string().optional(),
  }),
  SnapshotFailed: z.object({
    ...envelope,
    repository: z.string(),
    ref: z.string(),
    sha: z.string(),
    deliveryId: z.string().optional(),
    applications: z.array(z.string()).describe('those that stay at their last good snapshot'),
    faults: z.array(faultRecordSchema),
  }),
  CommitExamined: z.object({
    ...envelope,
    repository: z
      .string()
      .describe(
        'name in the stack configuration; only of one with `status`, or where there are `notifications`',
      ),
    ref: z.string(),
    sha: z.string(),
    failing: z.boolean(),
  }),
  ReconcileFinished: z.object({
    ...envelope,
    target: targetSchema,
    runId: z.string(),
    runKey: z.string(),
    reason: runReasonSchema,
    revision: z.number().int(),
    sha: z.string(),
    outcome: z.enum(['applied', 'failed', 'blocked', 'cancelled', 'waiting']),
    counts: runCountsSchema,
    health: healthStatusSchema,
    message: z.string(),
  }),
  DriftDetected: z.object({
    ...envelope,
    target: targetSchema,
    record: z.string().describe('S3 key'),
    mode: driftModeSchema,
    drift: objectDriftSchema,
    who: whoSchema.optional(),
    loop: healLoopSchema.optional(),
  }),
  DriftHealed: z.object({
    ...envelope,
    target: targetSchema,
    record: z.string(),
    state: z.enum(['healed', 'reverted', 'overwritten', 'accepted']),
    secondsToHeal: z.number().optional(),
  }),
  HealthChanged: z.object({
    ...envelope,
    target: targetSchema,
    from: healthStatusSchema.describe('Unknown before the first look'),
    to: healthStatusSchema,
    message: z.string(),
  }),
  RevisionFailed: z.object({
    ...envelope,
    target: targetSchema,
    revision: z.number().int().describe('of the pointer, as it was seen'),
    reason: z.string(),
  }),
  PromotionApproved: z.object({
    ...envelope,
    environment: z.string().describe('name of its repository in the stack configuration'),
    sha: z.string(),
    by: z.string(),
    reason: z.string().exactOptional(),
  }),
  Promoted: z.object({
    ...envelope,
    environment: z.string().describe('name of its repository in the stack configuration'),
    from: z.string().describe('the environment before'),
    returned: z.boolean().describe('a person went back to a commit that it had'),
    sha: z.string(),
    by: z.string(),
    reason: z.string().exactOptional(),
  }),
  RolledBack: z.object({
    ...envelope,
    target: targetSchema,
    by: z.string(),
    reason: z.string(),
    automatic: z.boolean().describe('nobody asked for it: `spec.rollback.onFailure`'),
    revision: z.number().int().describe('of the pointer that is pinned now'),
    from: z.object({ snapshot: z.string(), commit: commitSchema }),
    to: z.object({ snapshot: z.string(), commit: commitSchema }),
    revertPullRequest: z.boolean().describe('a pull request is to take the change back in Git'),
  }),
} as const;

export type EventType = keyof typeof eventSchemas;
export type EventDetail<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

/** One event as a value: its type and the detail that belongs to that type. */
export type TrueupEvent = {
  [T in EventType]: { readonly type: T; readonly detail: EventDetail<T> };
}[EventType];

/** EventBridge's envelope around one of our events, as SQS delivers it. */
export function envelopeSchema<T extends EventType>(type: T) {
  return z.object({
    id: z.string(),
    source: z.literal(eventSource),
    'detail-type': z.literal(type),
    detail: eventSchemas[type],
  });
}

/**
 * Request to look for pushes that nobody told of: the schedule asks for the fleet, which becomes one request for each
 * remote, with the configured repositories that are at it.
 */
export const pollRequestSchema = z.discriminatedUnion('poll', [
  z.object({ version: z.literal(1), poll: z.literal('fleet') }),
  z.object({ version: z.literal(1), poll: z.literal('remote'), repositories: z.array(z.string()).min(1) }),
  z.object({ version: z.literal(1), poll: z.literal('charts') }),
  z.object({ version: z.literal(1), poll: z.literal('canary') }),
]);
export type PollRequest = z.infer<typeof pollRequestSchema>;

/** The schedule asks what was not told to Git hosts yet. */
const reportRequestSchema = z.object({ version: z.literal(1), report: z.literal('open') });
export type ReportRequest = z.infer<typeof reportRequestSchema>;

/** Messages on the queue of whoever tells Git hosts of commits: our events without EventBridge's envelope, and the request. */
export const reportMessageSchema = z.union([
  envelopeSchema('CommitExamined').transform(({ detail }) => ({ type: 'CommitExamined' as const, detail })),
  envelopeSchema('ReconcileFinished').transform(({ detail }) => ({
    type: 'ReconcileFinished' as const,
    detail,
  })),
  envelopeSchema('HealthChanged').transform(({ detail }) => ({ type: 'HealthChanged' as const, detail })),
  reportRequestSchema,
]);

/** Bring the comment of a pull request up to date, whoever has answered by now. */
const previewDueSchema = z.object({
  version: z.literal(1),
  preview: z.literal('due'),
  repository: z.string(),
  id: z.string(),
  head: z.string(),
});
export type PreviewDue = z.infer<typeof previewDueSchema>;

/** Look for pull requests that nobody told of: the schedule asks for all repositories, which become one request for each pull request. */
const previewPollSchema = z.object({ version: z.literal(1), preview: z.literal('poll') });
export type PreviewPoll = z.infer<typeof previewPollSchema>;
const previewLookSchema = z.object({
  version: z.literal(1),
  preview: z.literal('look'),
  repository: z.string(),
  id: z.string(),
});
export type PreviewLook = z.infer<typeof previewLookSchema>;

/** Messages of whoever previews pull requests. */
export const previewMessageSchema = z.union([
  envelopeSchema('PullRequestChanged').transform(({ detail }) => ({ kind: 'changed' as const, ...detail })),
  envelopeSchema('PreviewAnswered').transform(({ detail }) => ({ kind: 'answered' as const, ...detail })),
  previewDueSchema.transform((due) => ({ kind: 'due' as const, ...due })),
  previewLookSchema.transform((look) => ({ kind: 'changed' as const, ...look })),
  previewPollSchema.transform(() => ({ kind: 'poll' as const })),
]);
export type PreviewMessage = z.infer<typeof previewMessageSchema>;

/** Asks registries for images that nobody told of, and brings pull requests of images up to date. */
const imagePollSchema = z.object({ version: z.literal(1), poll: z.literal('images') });
export type ImagePollRequest = z.infer<typeof imagePollSchema>;

/** Messages of whoever writes images; a pull request that changed says only that ours are to be looked at. */
export const imageMessageSchema = z.union([
  envelopeSchema('ImagePushed').transform(({ detail }) => ({ image: detail, poll: false })),
  envelopeSchema('PullRequestChanged').transform(() => ({ image: undefined, poll: false })),
  imagePollSchema.transform(() => ({ image: undefined, poll: true })),
]);

/** The schedule asks which environments may get a commit by now. */
const promotionRequestSchema = z.object({ version: z.literal(1), promotion: z.literal('look') });
export type PromotionRequest = z.infer<typeof promotionRequestSchema>;

/** Messages of whoever promotes: all are hints to look at the records. */
export const promotionMessageSchema = z.union([
  envelopeSchema('Promoted').transform(({ detail: { returned, environment } }) =>
    returned ? { follow: environment } : {},
  ),
  envelopeSchema('CommitExamined').transform(({ detail: { repository, sha, at } }) => ({
    examined: { repository, sha, at },
  })),
  envelopeSchema('ReconcileFinished').transform(() => ({})),
  envelopeSchema('HealthChanged').transform(() => ({})),
  envelopeSchema('PromotionApproved').transform(() => ({})),
  envelopeSchema('PullRequestChanged').transform(() => ({})),
  promotionRequestSchema.transform(() => ({})),
]);

/** Request to whoever checks clusters: the schedule asks for the fleet, which fans out to a message per cluster; an audit log for a target. */
export const sweepRequestSchema = z.discriminatedUnion('scope', [
  z.object({ version: z.literal(1), scope: z.literal('fleet'), requestedBy: z.string() }),
  z.object({
    version: z.literal(1),
    scope: z.literal('cluster'),
    cluster: z.string(),
    requestedBy: z.string(),
    trace: traceSchema.exactOptional(),
    full: z.boolean().optional().describe('compare every object exactly, whatever earlier checks say of it'),
    all: z.boolean().optional().describe('check every target, due or not by its own interval'),
  }),
  z.object({
    version: z.literal(1),
    scope: z.literal('target').describe('check what the audit log says was written to, and nothing else'),
    cluster: z.string(),
    application: z.string(),
    requestedBy: z.string(),
    tries: z.number().int().describe('checks that were put off, since a run was at work'),
  }),
  z.object({
    version: z.literal(1),
    scope: z.literal('preview').describe('say by a dry run what a pull request would do there'),
    cluster: z.string(),
    repository: z.string(),
    id: z.string().describe('of the pull request'),
    head: z.string(),
    requestedBy: z.string(),
  }),
]);
export type SweepRequest = z.infer<typeof sweepRequestSchema>;
/** Of a preview of a pull request; it comes on a queue of its own. */
export type ClusterAsk = Extract<SweepRequest, { scope: 'preview' }>;
