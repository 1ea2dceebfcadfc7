import * as z from 'zod';
import { envelopeSchema, type EventType } from './events.ts';

/** Asks for a look: at what is due, or also at everything that is told to be wrong, should an event have been lost. */
export const lookRequestSchema = z.object({ version: z.literal(1), look: z.enum(['due', 'all']) });
export type LookRequest = z.infer<typeof lookRequestSchema>;

/** What CloudWatch writes of an alarm to a topic, as far as it is told. */
export const alarmNoticeSchema = z.object({
  AlarmName: z.string().max(300),
  AlarmDescription: z.string().nullish(),
  NewStateValue: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  NewStateReason: z.string().default(''),
  StateChangeTime: z.string(),
});

const topicMessageSchema = z.object({
  Type: z.literal('Notification'),
  TopicArn: z.string(),
  Message: z.string().describe('JSON where CloudWatch wrote it'),
});

/** Detail types of these events, for the rule that leads them here. */
export const noticedEvents = [
  'SnapshotFailed',
  'CommitExamined',
  'ReconcileFinished',
  'DriftDetected',
  'DriftHealed',
  'HealthChanged',
  'RolledBack',
] as const satisfies readonly EventType[];

const eventSchema = z.discriminatedUnion('detail-type', [
  envelopeSchema('SnapshotFailed'),
  envelopeSchema('CommitExamined'),
  envelopeSchema('ReconcileFinished'),
  envelopeSchema('DriftDetected'),
  envelopeSchema('DriftHealed'),
  envelopeSchema('HealthChanged'),
  envelopeSchema('RolledBack'),
]);
export type NoticedEvent = z.infer<typeof eventSchema>;

/** One message on the queue of what was heard: an event of ours, of an alarm, or the wish for a look. */
export const noticeMessageSchema = z.union([
  eventSchema.transform((event) => ({ heard: 'event' as const, event })),
  topicMessageSchema.transform(({ Message }) => ({ heard: 'topic' as const, text: Message })),
  lookRequestSchema.transform(({ look }) => ({ heard: 'look' as const, look })),
]);
export type NoticeMessage = z.infer<typeof noticeMessageSchema>;

/** A person's wish, by direct invocation, to see whether a channel works; and what came of it. */
export const testRequestSchema = z.object({ test: z.string(), by: z.string() });
export type TestRequest = z.infer<typeof testRequestSchema>;
export const testAnswerSchema = z.object({
  sent: z.boolean(),
  message: z.string().describe('why not, in a sentence'),
});
export type TestAnswer = z.infer<typeof testAnswerSchema>;
