import { Retry } from '../errors.ts';
import type { KubeObject } from '../model/object.ts';
import type { ApplyOutcome } from '../ports.ts';
import { answered, type ApplyTask, type Effects } from './object-result.ts';

/** How long an object may wait for the namespace or the definition that this run has just made. */
const waitTries = 20;
const waitMs = 500;
/** How often an object is sent again whose field its definition, new in this run, is not yet served with. */
const schemaTries = 10;
/** Longest wait of a throttled request within the run. */
const shortSeconds = 2;
/** How long the objects of one rank wait for an admission webhook, all together: its Service may be as new as they. */
const webhookMs = 15_000;

/** What the objects of one rank know of each other: until when a webhook is waited for, by its name. */
export type WebhookPatience = Map<string, number>;

/** How an object is sent, and tried again within the run. */
export interface Sending {
  readonly effects: Effects;
  /** Its namespace or definition is as new as itself, so a 404 is worth a wait. */
  readonly awaited: boolean;
  /** Its definition is applied in this run, and the server takes a moment to serve the new schema. */
  readonly redefined: boolean;
  readonly patience: WebhookPatience;
}

/**
 * Applies an object until there is an answer that this run can do nothing about; `force` takes over what others own. What
 * is to be created is only ever created: an object that nobody has judged is not written into.
 */
export async function sendObject(
  { address, action }: Pick<ApplyTask, 'address' | 'action'>,
  object: KubeObject,
  force: boolean,
  sending: Sending,
): Promise<ApplyOutcome | Retry> {
  const { cluster, clock, mayProceed } = sending.effects;
  const options = { dryRun: false, force, ...(action === 'create' && { createOnly: true }) };
  for (let attempt = 1; ; attempt += 1) {
    await mayProceed();
    const outcome = await answered(cluster.apply(address, object, options));
    const pauseMs = pauseAfter(outcome, attempt, sending);
    if (pauseMs === undefined) return outcome;
    await clock.sleep(pauseMs);
  }
}

/** A server that names a short time (throttled, or still opening the storage of a new kind) is taken at its word. */
function pauseAfter(
  outcome: ApplyOutcome | Retry,
  attempt: number,
  { effects, awaited, redefined, patience }: Sending,
): number | undefined {
  if (!(outcome instanceof Retry)) {
    if (redefined && attempt < schemaTries && isUnknownField(outcome)) return waitMs;
    return awaited && attempt < waitTries && isTooEarly(outcome) ? waitMs : undefined;
  }
  const webhook = webhookIn(outcome);
  if (webhook !== undefined) {
    const until = patience.get(webhook) ?? effects.clock.now() + webhookMs;
    patience.set(webhook, until);
    return effects.clock.now() < until ? waitMs : undefined;
  }
  const { afterSeconds } = outcome;
  const isShort = afterSeconds !== undefined && afterSeconds <= shortSeconds;
  return isShort && attempt < waitTries ? afterSeconds * 1000 : undefined;
}

/** A kind or namespace not there yet; a new namespace also gets its service account a moment later. */
export function isTooEarly(outcome: ApplyOutcome): boolean {
  if (outcome.kind === 'absent') return true;
  return outcome.kind === 'refused' && /service ?account .*not found/i.test(outcome.message);
}

function isUnknownField(outcome: ApplyOutcome): boolean {
  return outcome.kind === 'invalid' && /field not declared in schema|unknown field/.test(outcome.message);
}

/** The webhook, of admission or conversion, that the server could not call: it did answer, so the cluster is not gone. */
export function webhookIn(error: Retry): string | undefined {
  const words = /failed calling webhook "([^"]*)"|conversion webhook for ([^,\s]+)/.exec(error.message);
  return words?.[1] ?? words?.[2];
}
