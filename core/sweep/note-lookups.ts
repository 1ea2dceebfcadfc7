import { keys } from '../contract/keys.ts';
import { labels } from '../contract/kubernetes.ts';
import { writeDocument } from '../documents.ts';
import { Blocked, Retry, Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { sealLookup, speakerOf } from '../lookup-record.ts';
import type { AskedDocument } from '../model/asked.ts';
import { jsonEqual } from '../model/json.ts';
import {
  lookupKey,
  lookupRecordSchema,
  type Lookup,
  type LookupAnswer,
  type LookupRecord,
  type LookupWish,
} from '../model/lookup.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Clock, Sealer, Store } from '../ports.ts';
import { readLookup, type ReadLookup } from '../read-lookup.ts';
import type { KnownDocuments } from './known-documents.ts';
import type { Connection } from './look-around.ts';

export interface LookupDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly sealer: Sealer;
  readonly documents: KnownDocuments;
}

const applicationsAtATime = 8;
/** Each costs a render of the application: a chart that reads what it renders could go on for ever. */
const mostChanges = 6;
const changesWithinMs = 3_600_000;
/** With nothing else changed, so many renders of a day in which an application found its own objects other than before. */
const mostOwnChanges = 4;
const ownChangesWithinMs = 86_400_000;

/**
 * Reads what the applications of one cluster may look up, each with the rights that it is applied with, and notes it where
 * it is another than before. Gives what stands now, by `keys.lookups`. What the cluster does not answer for stays.
 */
export async function noteLookups(
  deps: LookupDeps,
  cluster: string,
  asked: readonly AskedDocument[],
  connection: Pick<Connection, 'cluster' | 'as' | 'served'>,
): Promise<ReadonlyMap<string, LookupRecord>> {
  const wishes = asked.flatMap(({ repository, applications }) =>
    Object.entries(applications).flatMap(([name, { lookups }]) =>
      lookups === undefined
        ? []
        : [{ key: keys.lookups({ cluster, application: name }, repository), name, wish: lookups }],
    ),
  );
  const reader = new LookupReader(connection);
  const records = new Map<string, LookupRecord>();
  await inBatches(wishes, applicationsAtATime, async ({ key, name, wish }) => {
    records.set(key, await noteOne(deps, key, { name, wish, reader }));
  });
  return records;
}

/** What nobody looks up any more does not stay: there may be secrets in it. `wanted`: keys of records. */
export async function forgetLookups(
  store: Store,
  cluster: string,
  wanted: ReadonlyMap<string, unknown>,
): Promise<void> {
  for (const key of (await store.entries(keys.lookupsOfCluster(cluster))).keys()) {
    if (!wanted.has(key)) await store.delete(key, 'any');
  }
}

interface Wanted {
  readonly name: string;
  readonly wish: LookupWish;
  readonly reader: LookupReader;
}

async function noteOne(
  { store, clock, sealer, documents }: LookupDeps,
  key: string,
  { name, wish, reader }: Wanted,
): Promise<LookupRecord> {
  const as = speakerOf(wish.as);
  const before = await documents.read(store, key, lookupRecordSchema).catch((error: unknown) => {
    if (error instanceof Stop) return undefined;
    throw error;
  });
  const known = before?.value.as === as ? before.value : undefined;
  const answers: [string, LookupAnswer][] = [];
  const changed: LookupAnswer[] = [];
  for (const lookup of wish.lookups) {
    const id = lookupKey(lookup);
    const old = known?.answers[id];
    const read = await reader.read(lookup, wish.as);
    const answer = read === undefined ? old : await sealLookup(read, old, sealer);
    if (answer === undefined) continue;
    answers.push([id, answer]);
    if (answer !== old && old !== undefined) changed.push(old, answer);
  }
  const next = followed(
    known,
    { as, answers: Object.fromEntries(answers), made: wish.made },
    {
      now: clock.now(),
      changed: changed.length === 0 ? undefined : { own: changed.some((answer) => isOwn(answer, name)) },
    },
  );
  if (before !== undefined && jsonEqual(next, before.value)) return before.value;
  await writeDocument(store, key, next, 'any');
  return next;
}

type Found = Pick<LookupRecord, 'as' | 'answers'> & { readonly made: string | undefined };

/** What is to stand: as found, unless it changes too often. */
function followed(
  known: LookupRecord | undefined,
  { as, answers, made = known?.made }: Found,
  { now, changed }: { readonly now: number; readonly changed: { readonly own: boolean } | undefined },
): LookupRecord {
  const isNew = known?.made !== made;
  const kept = (known?.changes ?? []).filter(({ own }) => !(own && isNew));
  const isHeld = known?.held === true && !isNew;
  const record = { version: 1 as const, as, ...(made !== undefined && { made }) };
  if (changed === undefined || known === undefined) {
    return { ...record, answers, changes: kept, ...(isHeld && { held: true }) };
  }
  const since = (ms: number) => kept.filter(({ at }) => now - millisecondsOf(at) < ms);
  const isLooping =
    changed.own && since(ownChangesWithinMs).filter(({ own }) => own).length >= mostOwnChanges;
  // What is new is told all the same; what changed stands as it was.
  const asBefore = { ...answers, ...pick(known.answers, Object.keys(answers)) };
  // No time ends it: the loop would only begin anew.
  if (isHeld || isLooping) return { ...record, answers: asBefore, changes: kept, held: true };
  if (since(changesWithinMs).length >= mostChanges) return { ...record, answers: asBefore, changes: kept };
  return { ...record, answers, changes: [...kept, { at: isoTime(now), ...changed }].slice(-mostChanges) };
}

function pick<T>(members: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => names.includes(name)));
}

function isOwn(answer: LookupAnswer, application: string): boolean {
  return (
    answer.found === 'objects' &&
    answer.objects.some(({ object }) => object.metadata.labels?.[labels.application] === application)
  );
}

/** Asks the cluster once for what several applications look up with the same rights. */
class LookupReader {
  readonly #connection: Pick<Connection, 'cluster' | 'as' | 'served'>;
  readonly #reading = new Map<string, Promise<ReadLookup | undefined>>();

  constructor(connection: Pick<Connection, 'cluster' | 'as' | 'served'>) {
    this.#connection = connection;
  }

  /** Undefined when the cluster does not answer now. */
  read(lookup: Lookup, as: LookupWish['as']): Promise<ReadLookup | undefined> {
    const key = `${speakerOf(as)} ${lookupKey(lookup)}`;
    const reading = this.#reading.get(key) ?? this.#read(lookup, as);
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(lookup: Lookup, as: LookupWish['as']): Promise<ReadLookup | undefined> {
    const { cluster, as: become, served } = this.#connection;
    try {
      return await readLookup(as === undefined ? cluster : await become(as), served, lookup);
    } catch (error) {
      if (error instanceof Retry) return undefined;
      if (error instanceof Blocked) return { found: 'nothing', message: error.message };
      throw error;
    }
  }
}
