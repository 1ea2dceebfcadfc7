import * as z from 'zod';
import { newsSchema, outgoingSchema } from './notice.ts';
import { targetSchema } from './target.ts';

/** Whose state is told of. */
export const noticeSubjectSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('target'), target: targetSchema }),
  z.object({ kind: z.literal('repository'), repository: z.string() }),
  z.object({ kind: z.literal('alarm'), alarm: z.string() }),
]);
export type NoticeSubject = z.infer<typeof noticeSubjectSchema>;

/** What an alarm said last, when it changed. */
const alarmSaidSchema = z.object({
  state: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  at: z.string().describe('as CloudWatch spells it'),
  heardAt: z.string().describe('ISO 8601'),
  text: z.string(),
});
export type AlarmSaid = z.infer<typeof alarmSaidSchema>;

/** Something was heard of a subject: its records are to be looked at. */
const hintSchema = z.object({
  subject: noticeSubjectSchema,
  since: z.string().describe('when it was first heard of, ISO 8601'),
  last: z.string().describe('when it was heard of last'),
  healed: z.array(z.string()).exactOptional().describe('records of drift that was put right'),
  rolledBack: z
    .object({ by: z.string(), reason: z.string(), automatic: z.boolean(), from: z.string(), to: z.string() })
    .exactOptional(),
});
export type Hint = z.infer<typeof hintSchema>;

/** A state that is told of, while it lasts and for a day after, so that it is known when it comes back. */
const problemSchema = z.object({
  subject: noticeSubjectSchema,
  news: newsSchema,
  openings: z.array(z.string()).min(1).describe('when it began, newest last; those of the last day'),
  overSince: z.string().exactOptional().describe('since when it is away'),
  closed: z.literal(true).exactOptional().describe('it stayed away for long enough'),
});
export type Problem = z.infer<typeof problemSchema>;

/** Problems of one cause that one channel was told of together. */
const incidentSchema = z.object({
  channel: z.string(),
  cause: z.string(),
  openedAt: z.string(),
  toldAt: z.string(),
  title: z.string().describe('as it was told first'),
  members: z.array(z.string()).describe('keys of problems'),
});
export type Incident = z.infer<typeof incidentSchema>;

/** All that notices are decided by: one document for the installation, in which what is well takes no room. */
export const noticeMemorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  hints: z.record(z.string(), hintSchema).describe('by subject'),
  problems: z.record(z.string(), problemSchema).describe('by event and subject'),
  incidents: z.record(z.string(), incidentSchema).describe('by id'),
  infos: z
    .array(z.object({ at: z.string(), news: newsSchema }))
    .describe('to be told once, as soon as no more of them come'),
  deployed: z
    .record(z.string(), z.object({ revision: z.number().int(), at: z.string() }))
    .describe('by target: the newest revision that was told of'),
  outbox: z.array(outgoingSchema).describe('decided, and not surely in a queue yet'),
  alarms: z.record(z.string(), alarmSaidSchema).describe('by name: what each said last'),
  nextLook: z.string().exactOptional().describe('a look is asked for then'),
});
export type NoticeMemory = z.infer<typeof noticeMemorySchema>;

export const emptyMemory: NoticeMemory = {
  version: 1,
  seq: 0,
  hints: {},
  problems: {},
  incidents: {},
  infos: [],
  deployed: {},
  outbox: [],
  alarms: {},
};

/** Key of a hint, and the second half of the key of a problem. */
export function subjectKey(subject: NoticeSubject): string {
  switch (subject.kind) {
    case 'target':
      return `target ${subject.target.cluster}/${subject.target.application}`;
    case 'repository':
      return `repository ${subject.repository}`;
    case 'alarm':
      break;
  }
  return `alarm ${subject.alarm}`;
}
