import * as z from 'zod';

/** How much a person should mind, least first. */
export const severities = ['info', 'warning', 'error'] as const;
const severitySchema = z.enum(severities);
export type Severity = z.infer<typeof severitySchema>;

/** What can be told of. All but the last three last for a time, and are told once more when they are over. */
export const noticeEvents = [
  /** The newest commit of a repository cannot be followed in full. */
  'snapshot-failed',
  /** The last run of a target failed or was blocked. */
  'run-failed',
  /** Health is Degraded or Missing. */
  'degraded',
  /** Objects differ from what was applied. */
  'drift',
  /** Somebody changes a field again after each heal. */
  'heal-loop',
  /** An alarm of the installation that says none of the above. */
  'alarm',
  /** A new revision is applied and healthy. */
  'deployed',
  /** Drift was put right before anybody had to be told of it. */
  'healed',
  /** A target went back to an earlier snapshot, by a person or by itself. */
  'rolled-back',
] as const;
const noticeEventSchema = z.enum(noticeEvents);
export type NoticeEvent = z.infer<typeof noticeEventSchema>;

const linkSchema = z.object({ text: z.string(), url: z.string() });
export type NoticeLink = z.infer<typeof linkSchema>;

/** What a notice is routed by: a route that names any of these gets it. All empty: of the installation as a whole. */
const scopeSchema = z.object({
  applications: z.array(z.string()),
  clusters: z.array(z.string()),
  projects: z.array(z.string()),
});

/** One thing to tell, in words from which everything secret is taken out already. */
export const newsSchema = z.object({
  event: noticeEventSchema,
  severity: severitySchema,
  scope: scopeSchema,
  subject: z.string().describe('for people: `web on production`'),
  headline: z.string().describe('`web on production: the run failed`'),
  text: z.string().describe('what happened, in the words of whoever found it; may be empty'),
  todo: z.string().describe('what to do; may be empty'),
  causes: z.array(z.string()).describe('what it may share with others, the likeliest first'),
  commit: z
    .object({ repository: z.string(), sha: z.string(), subject: z.string(), author: z.string() })
    .exactOptional(),
  links: z.array(linkSchema),
});
export type News = z.infer<typeof newsSchema>;

/** One message to one channel. Every text is scrubbed, and of a length that a person reads. */
export const noticeSchema = z.object({
  version: z.literal(1),
  id: z.string().describe('of this message: the same over the tries to deliver it'),
  incident: z.string().describe('the same from the first message to the one that it is over'),
  phase: z.enum(['opened', 'changed', 'resolved', 'info', 'test']),
  event: noticeEventSchema,
  severity: severitySchema,
  fleet: z.string(),
  at: z.string().describe('when it was decided, ISO 8601'),
  since: z.string().describe('when its first part was found, ISO 8601'),
  title: z.string(),
  text: z.string(),
  items: z.array(z.object({ subject: z.string(), text: z.string() })),
  more: z.number().int().describe('items that are not among these'),
  todo: z.string(),
  facts: z.array(z.object({ name: z.string(), value: z.string() })),
  links: z.array(linkSchema),
});
export type Notice = z.infer<typeof noticeSchema>;

/** Message on the queue of a channel. */
export const outgoingSchema = z.object({ channel: z.string(), notice: noticeSchema });
export type Outgoing = z.infer<typeof outgoingSchema>;
