import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import type { NoticeMessage } from './contract/notice-messages.ts';
import { readDocument, writeDocument, type Document } from './documents.ts';
import { Retry, faultsOf, messageOf } from './errors.ts';
import { inBatches } from './in-batches.ts';
import {
  emptyMemory,
  noticeMemorySchema,
  subjectKey,
  type Hint,
  type NoticeMemory,
} from './model/notice-memory.ts';
import { jsonEqual } from './model/json.ts';
import { noticeEvents } from './model/notice.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { NoticeQueues } from './notice-ports.ts';
import { decide, type Looked } from './notify/decide.ts';
import { hear } from './notify/hear.ts';
import type { Place } from './notify/links.ts';
import { readAlarm } from './notices/read-alarm.ts';
import { readRepository } from './notices/read-repository.ts';
import { checkReader, readTarget } from './notices/read-target.ts';
import { nothing, type Reading } from './notify/reading.ts';
import { isSettled, lookTime } from './notify/timing.ts';
import type { Clock, Store } from './ports.ts';

export interface NoticesDeps {
  readonly store: Store;
  readonly queues: NoticeQueues;
  readonly clock: Clock;
  readonly config: Pick<StackConfig, 'fleet' | 'repositories' | 'notifications'>;
  readonly place: Place;
}

/** What came of some messages. */
export interface NoticesOutcome {
  /** Subjects that were looked at. */
  readonly looked: number;
  /** Messages that went to channels. */
  readonly sent: number;
  /** Why subjects could not be read, a sentence each: what is told of them stays as it is. */
  readonly unreadable: readonly string[];
}

const tries = 12;
const readsAtATime = 16;
/** The longest that SQS delays a message. */
const longestDelay = 900;
const idle: NoticesOutcome = { looked: 0, sent: 0, unreadable: [] };

/**
 * Hears of events and alarms, and tells people of states that changed. An event is only a hint at what to look at: some
 * seconds later the records say how it stands, so that late, doubled and reordered events, and what lasts for a moment
 * alone, change nothing. Throws Retry when the same messages may pass later.
 */
export async function followNotices(
  messages: readonly NoticeMessage[],
  deps: NoticesDeps,
): Promise<NoticesOutcome> {
  const { notifications } = deps.config;
  if (notifications === undefined) return idle;
  const { fleet } = deps.config;
  await change(deps, async (memory, now) => {
    const heard = hear(memory, messages, { notifications, fleet, now });
    return heard === memory ? undefined : asking(heard, now, deps);
  });
  const wishes = messages.flatMap((message) => (message.heard === 'look' ? [message.look] : []));
  if (wishes.length === 0) return idle;
  return look(wishes.includes('all'), deps);
}

/** Looks at whatever is due, decides what is told, and hands it to the queues of the channels. */
async function look(all: boolean, deps: NoticesDeps): Promise<NoticesOutcome> {
  const { fleet, notifications } = deps.config;
  if (notifications === undefined) return idle;
  const unreadable = new Map<string, string>();
  const read = reader(deps, unreadable);
  let looked: readonly Looked[] = [];
  const memory = await change(deps, async (current, now) => {
    const hints = dueHints(current, all, now);
    looked = await inBatches(hints, readsAtATime, async (hint) => read(hint, current));
    const decision = decide(current, looked, { notifications, fleet, now });
    const asked = await asking(decision.memory, now, deps, decision.next ?? Infinity);
    return jsonEqual(asked, current) ? undefined : asked;
  });
  const { outbox } = memory;
  for (const message of outbox) await deps.queues.send(message);
  const sent = new Set(outbox.map(({ notice }) => notice.id));
  if (sent.size > 0) {
    await change(deps, async (current) => ({
      ...current,
      outbox: current.outbox.filter(({ notice }) => !sent.has(notice.id)),
    }));
  }
  return { looked: looked.length, sent: outbox.length, unreadable: [...unreadable.values()] };
}

/** Those whose records have settled; where all are asked for, also one for each subject with a problem. */
function dueHints(memory: NoticeMemory, all: boolean, now: number): readonly Hint[] {
  const due = Object.values(memory.hints).filter((hint) => isSettled(hint, now));
  if (!all) return due;
  const heard = new Set(Object.keys(memory.hints));
  const at = isoTime(now);
  const lasting = Object.values(memory.problems).filter(({ closed }) => closed !== true);
  const told = new Map(lasting.map(({ subject }) => [subjectKey(subject), subject]));
  const others = [...told].filter(([key]) => !heard.has(key)).map(([, subject]) => subject);
  return [...due, ...others.map((subject) => ({ subject, since: at, last: at }))];
}

/** Reads each subject once, however often somebody else writes the memory meanwhile. */
function reader(
  deps: NoticesDeps,
  unreadable: Map<string, string>,
): (hint: Hint, memory: NoticeMemory) => Promise<Looked> {
  const { store, config, place, clock } = deps;
  const own = { store, config, place, check: checkReader(store) };
  const readings = new Map<string, Promise<Reading>>();
  const read = async ({ subject, ...hint }: Hint, memory: NoticeMemory): Promise<Reading> => {
    switch (subject.kind) {
      case 'target':
        return readTarget(subject.target, hint, own, isoTime(clock.now()));
      case 'repository':
        return readRepository(subject.repository, own);
      case 'alarm':
        break;
    }
    return readAlarm(subject.alarm, memory.alarms[subject.alarm], place);
  };
  // One record that nobody can read must not keep people from hearing of all others.
  const leftAsItIs =
    (key: string) =>
    (error: unknown): Reading => {
      if (faultsOf(error) === undefined) throw error;
      unreadable.set(key, messageOf(error));
      return { ...nothing, unknown: noticeEvents };
    };
  return async (hint, memory) => {
    const key = `${subjectKey(hint.subject)} ${hint.last}`;
    const reading = readings.get(key) ?? read(hint, memory).catch(leftAsItIs(key));
    readings.set(key, reading);
    return { subject: hint.subject, reading: await reading };
  };
}

/** The memory that says when the next look is, once that look is asked for: who dies in between has asked for one too many. */
async function asking(
  memory: NoticeMemory,
  now: number,
  { queues }: NoticesDeps,
  wanted?: number,
): Promise<NoticeMemory> {
  const times = Object.values(memory.hints).map(({ since }) => lookTime(since));
  const next = Math.max(now, Math.min(wanted ?? Infinity, ...(wanted === undefined ? times : [])));
  const planned = memory.nextLook === undefined ? undefined : millisecondsOf(memory.nextLook);
  const isPlanned = planned !== undefined && planned > now && planned <= next;
  if (isPlanned || next === Infinity) return memory;
  const seconds = Math.min(longestDelay, Math.ceil((next - now) / 1000));
  await queues.look({ version: 1, look: 'due' }, seconds);
  return { ...memory, nextLook: isoTime(now + seconds * 1000) };
}

/** Read, change, compare-and-set; again when somebody was faster. Gives what stands then. */
async function change(
  { store, clock }: NoticesDeps,
  work: (memory: NoticeMemory, now: number) => Promise<NoticeMemory | undefined>,
): Promise<NoticeMemory> {
  const key = keys.notices;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const current: Document<NoticeMemory> | undefined = await readDocument(store, key, noticeMemorySchema);
    const before = current?.value ?? emptyMemory;
    const next = await work(before, clock.now());
    if (next === undefined) return before;
    const condition = current === undefined ? 'absent' : { etag: current.etag };
    const outcome = await writeDocument(store, key, { ...next, seq: before.seq + 1 }, condition);
    if (outcome.kind === 'written') return next;
  }
  throw new Retry({ subject: key, message: `changed under us ${tries} times in a row; try again` });
}
