import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import type * as Cards from 'adaptivecards';
import * as z from 'zod';

/**
 * Servers that hold what they get against what each vendor publishes: paths, headers, schemas, lengths, answers. The schemas
 * are ours, written from the vendors' pages; Adaptive Cards are read by Microsoft's own parser.
 */
export type Vendor = 'slack' | 'teams' | 'discord' | 'pagerduty' | 'opsgenie' | 'webhook';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** How the next request is answered in place of a look at it. */
export interface Fault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface VendorServer extends AsyncDisposable {
  readonly origin: string;
  /** Every request that was looked at, in order. */
  readonly received: readonly Received[];
  /** Answers to come before any request is looked at. */
  readonly faults: (Fault | 'drop')[];
}

export const keys = {
  pagerduty: 'e93facc04764012d7bfb002500d5d1a6',
  opsgenie: 'eb243592-faa2-4ba2-a551-1afdf565c889',
};

/** Serves one vendor on a free port of this machine. */
export async function vendorServer(vendor: Vendor): Promise<VendorServer> {
  const received: Received[] = [];
  const faults: (Fault | 'drop')[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
      const fault = faults.shift();
      if (fault === 'drop') return request.socket.destroy();
      const seen = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      const answer = fault ?? judge(vendor, request.method ?? '', seen);
      if (fault === undefined) received.push(seen);
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
      return response;
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    faults,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function judge(vendor: Vendor, method: string, { path, headers, body }: Received): Fault {
  const type = headers['content-type'] ?? '';
  if (method !== 'POST' || !type.startsWith('application/json')) return { status: 405, body: 'no_text' };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { status: 400, body: 'invalid_payload' };
  }
  const faults = faultsOf[vendor](json, path, headers, body);
  if (faults !== undefined) return faults;
  return answers[vendor];
}

/** What each says to a message that it takes. */
const answers: Readonly<Record<Vendor, Fault>> = {
  slack: { status: 200, body: 'ok' },
  teams: { status: 202 },
  discord: { status: 204 },
  pagerduty: {
    status: 202,
    body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: 'x' }),
  },
  opsgenie: {
    status: 202,
    body: JSON.stringify({ result: 'Request will be processed', took: 0.1, requestId: 'r' }),
  },
  webhook: { status: 200, body: '{}' },
};

type Judge = (
  json: unknown,
  path: string,
  headers: IncomingMessage['headers'],
  body: string,
) => Fault | undefined;

const plain = (most: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(most),
    emoji: z.boolean().optional(),
  });
// A bracket that is not of a link of ours would be read as a mention or a hidden link.
const mrkdwn = (most: number) =>
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: z
      .string()
      .min(1)
      .max(most)
      .refine(
        (text) => !/[<>]/.test(text.replaceAll(/<https:\/\/[^<>|]+\|[^<>|]+>/g, '')),
        'has markup of a stranger',
      ),
    verbatim: z.boolean().optional(),
  });
const slackSchema = z.strictObject({
  text: z.string().min(1).max(4000),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('header'), text: plain(150) }),
        z.strictObject({ type: z.literal('section'), text: mrkdwn(3000) }),
        z.strictObject({ type: z.literal('context'), elements: z.array(mrkdwn(2000)).min(1).max(10) }),
      ]),
    )
    .min(1)
    .max(50),
});

const discordSchema = z.strictObject({
  username: z
    .string()
    .min(1)
    .max(80)
    .regex(/^(?!.*(?:discord|clyde)).*$/i),
  allowed_mentions: z.strictObject({ parse: z.array(z.never()) }),
  embeds: z
    .array(
      z.strictObject({
        title: z.string().max(256),
        description: z.string().max(4096),
        url: z.url().optional(),
        color: z.number().int().min(0).max(0xffffff),
        timestamp: z.iso.datetime(),
        fields: z
          .array(
            z.strictObject({
              name: z.string().min(1).max(256),
              value: z.string().min(1).max(1024),
              inline: z.boolean(),
            }),
          )
          .max(25),
      }),
    )
    .min(1)
    .max(10),
});

const cardSchema = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.looseObject({
        type: z.literal('AdaptiveCard'),
        version: z.enum(['1.2', '1.3', '1.4', '1.5']),
      }),
    }),
  ]),
});

const links = z.array(z.strictObject({ href: z.url(), text: z.string() }));
const pagerDutySchema = z.discriminatedUnion('event_action', [
  z.strictObject({
    event_action: z.literal('trigger'),
    routing_key: z.literal(keys.pagerduty),
    dedup_key: z.string().min(1).max(255),
    client: z.string(),
    links,
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      class: z.string(),
      custom_details: z.record(z.string(), z.string()),
    }),
  }),
  z.strictObject({
    event_action: z.enum(['resolve', 'acknowledge']),
    routing_key: z.literal(keys.pagerduty),
    dedup_key: z.string().min(1).max(255),
  }),
]);
const changeSchema = z.strictObject({
  routing_key: z.literal(keys.pagerduty),
  links,
  payload: z.strictObject({
    summary: z.string().min(1).max(1024),
    source: z.string(),
    timestamp: z.iso.datetime(),
    custom_details: z.record(z.string(), z.string()),
  }),
});

const note = z.strictObject({ note: z.string().max(25_000), source: z.string().max(100) });
const alertSchema = z.strictObject({
  message: z.string().min(1).max(130),
  alias: z.string().min(1).max(512),
  description: z.string().max(15_000),
  tags: z.array(z.string().max(50)).max(20),
  source: z.string().max(100),
  priority: z.enum(['P1', 'P2', 'P3', 'P4', 'P5']),
});

const faultsOf: Readonly<Record<Vendor, Judge>> = {
  slack: (json, path) => {
    if (!path.startsWith('/services/T')) return { status: 404, body: 'no_service' };
    return slackSchema.safeParse(json).success ? undefined : { status: 400, body: 'invalid_blocks' };
  },
  teams: (json, path, _, body) => {
    if (!/^\/workflows\/\w+\/triggers\/manual\/paths\/invoke\?.*sig=/.test(path)) return { status: 401 };
    if (Buffer.byteLength(body) > 28 * 1024) return { status: 413, body: 'too large' };
    const card = cardSchema.safeParse(json);
    const why = card.success ? cardFaults(card.data.attachments[0].content) : [card.error.message];
    return why.length === 0 ? undefined : { status: 400, body: why.join('; ').slice(0, 99) };
  },
  discord: (json, path) => {
    const refuse = (status: number, code: number, message: string) => ({
      status,
      body: JSON.stringify({ message, code }),
    });
    if (!/^\/api\/webhooks\/\d+\/[\w-]+$/.test(path)) return refuse(404, 10_015, 'Unknown Webhook');
    const parsed = discordSchema.safeParse(json);
    const all = parsed.data?.embeds.flatMap(({ title, description, fields }) => [
      title,
      description,
      ...fields.flatMap(({ name, value }) => [name, value]),
    ]);
    const isTooLong = (all ?? []).join('').length > 6000;
    return parsed.success && !isTooLong ? undefined : refuse(400, 50_035, 'Invalid Form Body');
  },
  pagerduty: (json, path) => {
    const schema = { '/v2/enqueue': pagerDutySchema, '/v2/change/enqueue': changeSchema }[path];
    if (schema === undefined) return { status: 404 };
    const parsed = schema.safeParse(json);
    if (parsed.success) return undefined;
    const errors = parsed.error.issues.map(({ path: place, message }) => `${place.join('.')}: ${message}`);
    return {
      status: 400,
      body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors }),
    };
  },
  opsgenie: (json, path, headers) => {
    const refuse = (status: number, message: string) => ({
      status,
      body: JSON.stringify({ message, took: 0 }),
    });
    if (headers.authorization !== `GenieKey ${keys.opsgenie}`) return refuse(401, 'Could not authenticate');
    const isAction = /^\/v2\/alerts\/[\w-]{1,512}\/(notes|close)\?identifierType=alias$/.test(path);
    if (path !== '/v2/alerts' && !isAction) return refuse(404, 'No such path');
    const parsed = (isAction ? note : alertSchema).safeParse(json);
    return parsed.success ? undefined : refuse(422, 'Request body is not processable');
  },
  webhook: () => undefined,
};

const { AdaptiveCard, SerializationContext, Versions } = z
  .custom<typeof Cards>()
  .parse(createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js'));

/** What Microsoft's parser has to say of a card, as Teams would read it. */
function cardFaults(card: object): string[] {
  const context = new SerializationContext(Versions.v1_4);
  const parsed = new AdaptiveCard();
  parsed.parse(card, context);
  const events = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  const invalid = parsed.validateProperties().validationEvents.map(({ message }) => message);
  return [...events, ...invalid];
}
