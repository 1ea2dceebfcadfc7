import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { Retry, Stop } from './errors.ts';
import { noticeMemorySchema } from './model/notice-memory.ts';
import type { Notice, Outgoing } from './model/notice.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Channels } from './notice-ports.ts';
import type { Clock, Store } from './ports.ts';

export interface SendDeps {
  readonly store: Store;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly config: Pick<StackConfig, 'fleet' | 'notifications'>;
}

/** A message that is older may be of something that is over, and whose end was told already. */
const staleMs = 15 * 60_000;
const longestDelay = 900;
/** The longest that SQS keeps a message from being seen. */
const longestHold = 43_000;

/** Delivers one message to its channel. Throws what the channel throws. */
export async function sendNotice(
  { channel: name, notice }: Outgoing,
  { store, channels, clock, config }: SendDeps,
): Promise<'sent' | 'over by now' | 'no such channel'> {
  const channel = config.notifications?.channels.find((one) => one.name === name);
  if (channel === undefined) return 'no such channel';
  const isBeginning = notice.phase === 'opened' || notice.phase === 'changed';
  const age = clock.now() - millisecondsOf(notice.at);
  // An alert that is opened after it was closed is never closed again: a dead letter that is sent back, say.
  if (isBeginning && age > staleMs) {
    const memory = await readDocument(store, keys.notices, noticeMemorySchema);
    if (memory?.value.incidents[notice.incident] === undefined) return 'over by now';
  }
  await channels.deliver(channel, notice);
  return 'sent';
}

/**
 * Seconds until a message that failed is tried again, by how often it was received: 5, 10, 20 … 900, or what the other side
 * asked for. What it will never take makes room at once.
 */
export function delayAfter(error: unknown, receiveCount: number): number {
  if (error instanceof Stop) return 0;
  const backoff = Math.min(longestDelay, 5 * 2 ** Math.min(10, receiveCount - 1));
  const asked = error instanceof Retry ? Math.ceil(error.afterSeconds ?? 0) : 0;
  return Math.min(longestHold, Math.max(backoff, asked));
}

/** A message that says nothing but that it arrived. Throws what the channel throws, Stop where there is none of that name. */
export async function sendTest(name: string, by: string, deps: SendDeps): Promise<void> {
  const { config, clock } = deps;
  const at = isoTime(clock.now());
  const id = `test-${name}-${clock.now()}`;
  const notice: Notice = {
    version: 1,
    id,
    incident: id,
    phase: 'test',
    event: 'alarm',
    severity: 'info',
    fleet: config.fleet,
    at,
    since: at,
    title: `A test of the channel ${name}`,
    text: `${by} wanted to know whether this arrives. It does.`,
    items: [],
    more: 0,
    todo: '',
    facts: [{ name: 'Fleet', value: config.fleet }],
    links: [],
  };
  if ((await sendNotice({ channel: name, notice }, deps)) === 'sent') return;
  const known = (config.notifications?.channels ?? []).map((channel) => channel.name).join(', ');
  throw new Stop({
    subject: `channel ${name}`,
    message: `is not in the stack configuration; known: ${known}`,
  });
}
