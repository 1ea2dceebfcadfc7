import * as z from 'zod';
import { noticeEvents, severities } from '../model/notice.ts';
import { nameSchema } from '../model/target.ts';

const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/;

const urlSchema = z
  .url()
  .max(2000)
  .refine((url) => url.startsWith('https://') || loopback.test(url), 'must be https://')
  .refine((url) => !/^\w+:\/\/[^/]*@/.test(url), 'must not hold a user name or token');

const secret = (what: string) => z.string().min(1).describe(`Secrets Manager name of ${what}`);
const internal = z
  .literal(true)
  .exactOptional()
  .describe('its address may be in a private network; without this it is refused');
const named = { name: nameSchema };
const arn = (service: string) =>
  z.string().regex(new RegExp(`^arn:aws[\\w-]*:${service}:[a-z0-9-]+:\\d{12}:[\\w./-]+$`), 'must be an ARN');

/** Where people are told, each by its type. */
export const channelSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...named,
    type: z.literal('sns'),
    topicArn: arn('sns').describe('of a topic of yours, which this role may publish to'),
    kmsKeyArn: arn('kms').exactOptional().describe('of the key that encrypts the topic, where it is yours'),
  }),
  z.strictObject({
    ...named,
    type: z.literal('email'),
    to: z
      .array(z.email())
      .min(1)
      .max(10)
      .describe('each gets a message of SNS first, whose link must be followed'),
  }),
  z.strictObject({
    ...named,
    type: z.literal('slack'),
    secret: secret('the URL of an incoming webhook'),
    internal,
  }),
  z.strictObject({
    ...named,
    type: z.literal('teams'),
    secret: secret('the URL that a workflow with the trigger "When a Teams webhook request is received" has'),
    internal,
  }),
  z.strictObject({
    ...named,
    type: z.literal('discord'),
    secret: secret('the URL of a webhook of a channel'),
    internal,
  }),
  z.strictObject({
    ...named,
    type: z.literal('pagerduty'),
    secret: secret('an integration key of the Events API v2'),
    url: urlSchema
      .default('https://events.pagerduty.com')
      .describe('of the EU service region: https://events.eu.pagerduty.com'),
    internal,
  }),
  z.strictObject({
    ...named,
    type: z.literal('opsgenie'),
    secret: secret('a key of an API integration'),
    url: urlSchema
      .default('https://api.opsgenie.com')
      .describe('of the EU instance: https://api.eu.opsgenie.com'),
    internal,
  }),
  z.strictObject({
    ...named,
    type: z.literal('webhook'),
    url: urlSchema.describe('gets a POST with JSON, signed as Standard Webhooks are'),
    secret: secret('the key that signs, `whsec_` and base64'),
    internal,
  }),
]);
export type ChannelConfig = z.infer<typeof channelSchema>;

const names = (what: string) =>
  z
    .array(z.string().regex(/^[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?$/, 'must be a name, with * for any text'))
    .min(1)
    .max(200)
    .exactOptional()
    .describe(`${what}, with * for any text; default: all`);

const routeSchema = z.strictObject({
  channels: z.array(nameSchema).min(1),
  events: z
    .array(z.enum(noticeEvents))
    .min(1)
    .exactOptional()
    .describe('what is told; default: whatever is severe enough'),
  severity: z
    .enum(severities)
    .exactOptional()
    .describe('the least; default: warning, or where `events` names what is told, any'),
  applications: names('applications'),
  clusters: names('clusters'),
  projects: names('projects'),
});
export type Route = z.infer<typeof routeSchema>;

/** Who is told of what. Whatever several routes lead to one channel is told there once. */
export const notificationsSchema = z.strictObject({
  channels: z.array(channelSchema).min(1).max(50),
  routes: z.array(routeSchema).min(1).max(200),
});
export type Notifications = z.infer<typeof notificationsSchema>;

/** Places and texts of what is wrong with the notifications of a configuration. */
export function notificationFaults(
  notifications: Notifications | undefined,
): { path: (string | number)[]; message: string }[] {
  const { channels = [], routes = [] } = notifications ?? {};
  const known = channels.map(({ name }) => name);
  const doubled = known.flatMap((name, index) =>
    known.indexOf(name) === index
      ? []
      : [{ path: ['notifications', 'channels', index, 'name'], message: `name "${name}" is used twice` }],
  );
  const unknown = routes.flatMap((route, index) =>
    route.channels
      .filter((name) => !known.includes(name))
      .map((name) => ({
        path: ['notifications', 'routes', index, 'channels'],
        message: `channel "${name}" is not among the channels; known: ${known.join(', ')}`,
      })),
  );
  return [...doubled, ...unknown];
}

/** Of all channels, once each. */
export function channelSecretsOf({ channels }: Notifications): readonly string[] {
  return [...new Set(channels.flatMap((channel) => ('secret' in channel ? [channel.secret] : [])))];
}
