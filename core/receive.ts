import type { StackConfig } from './contract/config.ts';
import type { TrueupEvent } from './contract/events.ts';
import { messageOf } from './errors.ts';
import {
  hookRoutes,
  imageOf,
  providerOf,
  readMessage,
  signatureHeader,
  type HookRequest,
  type ImageEvent,
  type PushMessage,
  type Provider,
} from './event.ts';
import {
  claimDelivery,
  markFailed,
  markPublished,
  recordIgnored,
  type Candidate,
  type LedgerDeps,
} from './ledger.ts';
import { digestOf, digestOfBytes } from './model/digest.ts';
import { isoTime } from './model/time.ts';
import type { Bus, Secrets, VerifySignature } from './ports.ts';

export interface ReceiveDeps extends LedgerDeps {
  readonly bus: Bus;
  readonly secrets: Secrets;
  readonly verify: VerifySignature;
  readonly config: StackConfig;
  /** The secret of a provider is `${prefix}/${provider}`. */
  readonly hookSecretPrefix: string;
}

/** What the sender is told, and what is worth a log line. Holds nothing of the body and no secret. */
export interface HookAnswer {
  readonly status: 202 | 400 | 401 | 404 | 405 | 413 | 503;
  readonly body: AnswerBody;
  /** Why it is 503; not for the sender. */
  readonly fault?: unknown;
}

interface AnswerBody {
  readonly delivery?: string;
  readonly state?: 'published' | 'ignored';
  readonly duplicate?: true;
  readonly reason?: string;
}

/** How long to wait for another copy of the same delivery; GitHub hangs up after 10 s. */
const patienceMilliseconds = 5_000;

/** A secret that was changed a moment ago is asked for again, yet never more often than this, whoever knocks. */
const refreshSeconds = 5;

/** One webhook request from start to answer (issue 3). Never throws: whatever fails is 503, and the sender sees it. */
export async function receive(request: HookRequest, deps: ReceiveDeps): Promise<HookAnswer> {
  const provider = providerOf(request.path);
  if (provider === undefined) return refusal(404, `no such route; there are: ${hookRoutes.join(', ')}`);
  if (request.method !== 'POST') return refusal(405, 'a webhook is a POST');
  const limit = deps.config.hookBodyLimit;
  if (request.body.length > limit) return refusal(413, `the body is larger than ${limit} bytes`);
  try {
    // Nothing is parsed and nothing is recorded of a body that nobody signed.
    const unsigned = await whyUnsigned(provider, request, deps);
    if (unsigned !== undefined) return refusal(401, unsigned);
    return await handle(provider, request, deps);
  } catch (fault) {
    return unavailable(fault);
  }
}

/** The answer when something behind us failed or was too slow: the sender sees a failure and can deliver again. */
export function unavailable(fault: unknown): HookAnswer {
  return { ...refusal(503, 'not taken; deliver it again'), fault };
}

function refusal(status: HookAnswer['status'], reason: string): HookAnswer {
  return { status, body: { reason } };
}

async function whyUnsigned(
  provider: Provider,
  { headers, body }: HookRequest,
  { secrets, verify, hookSecretPrefix }: ReceiveDeps,
): Promise<string | undefined> {
  const header = signatureHeader[provider];
  const signature = headers[header];
  if (signature === undefined)
    return `header ${header} is missing; give the webhook the secret of this installation`;
  const name = `${hookSecretPrefix}/${provider}`;
  for (const options of [{}, { maxAgeSeconds: refreshSeconds }]) {
    const { current, previous } = await secrets.get(name, options);
    if (verify(body, signature, previous === undefined ? [current] : [current, previous])) return undefined;
  }
  return `header ${header} does not fit; give the webhook the secret of this installation`;
}

async function handle(provider: Provider, request: HookRequest, deps: ReceiveDeps): Promise<HookAnswer> {
  const message = readMessage(request, deps.config.repositories);
  if (message.kind === 'invalid') return refusal(400, message.reason);
  const bodyDigest = digestOfBytes(request.body);
  if (message.kind === 'push') return publishOnce(provider, message, bodyDigest, deps);
  const { deliveryId: id, event, reason } = message;
  await recordIgnored(deps, { provider, id, bodyDigest, event }, reason);
  return { status: 202, body: { delivery: id, state: 'ignored', reason } };
}

async function publishOnce(
  provider: Provider,
  message: PushMessage,
  bodyDigest: string,
  deps: ReceiveDeps,
): Promise<HookAnswer> {
  const { deliveryId: id, event, push, stamped } = message;
  const { repository, ref, before, after } = push;
  const candidate: Candidate = {
    provider,
    id,
    bodyDigest,
    event,
    push: { repository, ref, before, after },
    stamped,
  };
  const claim = await claimDelivery(deps, candidate, deps.clock.now() + patienceMilliseconds);
  if (claim.kind === 'duplicate') {
    if (claim.of !== id) await recordIgnored(deps, candidate, `duplicate of delivery ${claim.of}`);
    return { status: 202, body: { delivery: id, state: 'published', duplicate: true } };
  }
  try {
    await deps.bus.publish(eventsOf(provider, message, isoTime(deps.clock.now())));
  } catch (error) {
    await markFailed(deps, claim.delivery, messageOf(error));
    throw error;
  }
  await markPublished(deps, claim.delivery);
  return { status: 202, body: { delivery: id, state: 'published' } };
}

function eventsOf(provider: Provider, message: PushMessage, at: string): TrueupEvent[] {
  const { ref, before, after, deleted } = message.push;
  const facts = {
    version: 1,
    at,
    deliveryId: message.deliveryId,
    provider,
    ref,
    before,
    after,
    deleted,
  } as const;
  return message.repositories.map((repository) => ({
    type: 'PushReceived',
    detail: { ...facts, repository },
  }));
}

/** Records an image event of ECR. The same event delivered again finds its own record. */
export async function recordImage(event: ImageEvent, deps: LedgerDeps): Promise<void> {
  const { 'action-type': action, result } = event.detail;
  const image = imageOf(event);
  const bodyDigest = digestOf([event.id, action, result, image]);
  const outcome = `recorded: ${image} (${action} ${result}); acting on images is not part of this version`;
  await recordIgnored(
    deps,
    { provider: 'ecr', id: event.id, bodyDigest, event: event['detail-type'] },
    outcome,
  );
}
