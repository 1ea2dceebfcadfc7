import * as z from 'zod';
import { desiredPointerSchema } from './desired.ts';
import { jsonSchema } from './json.ts';
import { objectRefSchema } from './object.ts';
import { targetSchema } from './target.ts';

/** One target that a pull request changes. */
export const touchedTargetSchema = z.object({
  target: targetSchema,
  pinned: z
    .object({ by: z.string(), reason: z.string() })
    .exactOptional()
    .describe('a person keeps it as it is, whatever is merged'),
  movedOn: z
    .literal(true)
    .exactOptional()
    .describe('the tracked branch has changed it, too, since the pull request left it'),
});
export type TouchedTarget = z.infer<typeof touchedTargetSchema>;

/** What was made of the newest head of a pull request: all that its comment and its status say, but for the clusters. */
const renderedSchema = z.object({
  at: z.string().describe('ISO 8601'),
  base: z.string().describe('SHA of the commit that the head is compared with'),
  text: z.string().describe('the comment, with a placeholder for what the clusters say'),
  status: z.object({ state: z.enum(['success', 'failure']), description: z.string() }),
  quiet: z
    .boolean()
    .describe('nothing changes and nothing is wrong: a comment that is not there need not be made'),
  targets: z.array(touchedTargetSchema),
  clusters: z.array(z.string()).describe('those that are asked by a dry run'),
  unasked: z.string().exactOptional().describe('why no cluster is asked, in words'),
});

/** Who renders this head, or did last. */
const workSchema = z.object({
  claim: z
    .number()
    .int()
    .describe('the `seq` with which it was begun: whoever holds another has nothing to say'),
  begun: z.string().describe('ISO 8601'),
  tries: z.number().int().describe('how often it was begun'),
  atWork: z.boolean().describe('false once it ended, however it did'),
  failed: z.string().exactOptional().describe('why it was given up, in words'),
});

/** The right to write to the host: two at once would make two comments, or leave the older text. */
const turnSchema = z.object({
  holder: z.number().int().describe('the `seq` with which it was taken'),
  until: z.string().describe('ISO 8601'),
  again: z.boolean().describe('somebody else had something to tell meanwhile'),
});

/** A pull request and what was said to it last; `seq` grows with every write, since an ETag repeats when its content does. */
export const pullPreviewSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  id: z.string(),
  head: z.string().describe('SHA'),
  /** Of the configuration and the program by which it was made. */
  inputs: z.string(),
  /** `refused`: of a fork, where those are not looked at; `elsewhere`: it is for another branch. */
  state: z.enum(['rendering', 'rendered', 'given-up', 'refused', 'elsewhere', 'closed']),
  /** Whether there is a comment of ours. */
  commented: z.boolean(),
  rendered: renderedSchema.exactOptional(),
  work: workSchema.exactOptional(),
  turn: turnSchema.exactOptional(),
});
export type PullPreview = z.infer<typeof pullPreviewSchema>;

/**
 * What one cluster is asked: to say, by a dry run, what these pointers would do there. Snapshots that only the pull request
 * has are kept with its preview (`core/previews/kept-store.ts`).
 */
export const clusterQuestionSchema = z.object({
  version: z.literal(1),
  head: z.string(),
  pointers: z.array(desiredPointerSchema),
});
export type ClusterQuestion = z.infer<typeof clusterQuestionSchema>;

const fieldSchema = z.object({
  path: z.string(),
  live: jsonSchema.exactOptional(),
  desired: jsonSchema.exactOptional(),
});

/** What would become of one target there. */
const answeredTargetSchema = z.object({
  application: z.string(),
  refusal: z.string().exactOptional().describe('why a run would do nothing at all'),
  failed: z.string().exactOptional().describe('why it could not be tried'),
  counts: z.record(z.string(), z.number().int()).describe('objects by what would be done to them'),
  changes: z
    .array(
      z.object({
        action: z.string(),
        ref: objectRefSchema,
        why: z.string(),
        fields: z.array(fieldSchema),
      }),
    )
    .describe('the first of those that are not left as they are'),
});
export type AnsweredTarget = z.infer<typeof answeredTargetSchema>;

export const clusterAnswerSchema = z.object({
  version: z.literal(1),
  head: z.string(),
  at: z.string(),
  unreachable: z.string().exactOptional(),
  targets: z.array(answeredTargetSchema),
});
export type ClusterAnswer = z.infer<typeof clusterAnswerSchema>;
