import type * as z from 'zod';
import { Retry, Stop, messageOf } from './errors.ts';
import type { Store, Stored, WriteCondition, WriteOutcome } from './ports.ts';

/** A JSON document and the version of it that was read. */
export interface Document<T> {
  readonly value: T;
  readonly etag: string;
}

/** Enough for every writer of one document to lose once to each other; more means a bug or a storm. */
const updateTries = 12;

/** Reads and parses one document. A document that does not fit its schema is a Stop that names its key. */
export async function readDocument<S extends z.ZodType>(
  store: Pick<Store, 'get'>,
  key: string,
  schema: S,
): Promise<Document<z.infer<S>> | undefined> {
  const stored = await store.get(key);
  if (stored === undefined) return undefined;
  return { value: parseStored(key, stored, schema), etag: stored.etag };
}

interface Parsed<S extends z.ZodType> {
  readonly schema: S;
  readonly value: z.infer<S>;
}

/** What a store handed out before, and hands out again as the very same object: only one in memory does. */
const handedOut = new WeakMap<Stored, Parsed<z.ZodType>>();

/** As `parseDocument`; the same answer of a store is parsed once. What is given out is shared: nobody changes it. */
function parseStored<S extends z.ZodType>(key: string, stored: Stored, schema: S): z.infer<S> {
  const known = handedOut.get(stored);
  if (known !== undefined && isOf(known, schema)) return known.value;
  const value = parseDocument(key, stored.text, schema);
  handedOut.set(stored, { schema, value });
  return value;
}

function isOf<S extends z.ZodType>(known: Parsed<z.ZodType>, schema: S): known is Parsed<S> {
  return known.schema === schema;
}

export function parseDocument<S extends z.ZodType>(key: string, text: string, schema: S): z.infer<S> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Stop({
      subject: key,
      message: `is not JSON (${messageOf(cause)}); restore its last version`,
      cause,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
  throw new Stop({ subject: key, message: `was written by another version of trueup or by hand${where}` });
}

export async function writeDocument(
  store: Store,
  key: string,
  value: object,
  condition: WriteCondition,
): Promise<WriteOutcome> {
  return store.put(key, JSON.stringify(value), condition);
}

/**
 * Read, change, compare-and-set; again from the read when somebody was faster.
 * `change` gives undefined to leave things as they are. Returns what stands now.
 */
export async function updateDocument<S extends z.ZodType<object>>(
  store: Store,
  key: string,
  schema: S,
  change: (current: z.infer<S> | undefined) => z.infer<S> | undefined,
): Promise<z.infer<S> | undefined> {
  for (let attempt = 0; attempt < updateTries; attempt += 1) {
    const current = await readDocument(store, key, schema);
    const next = change(current?.value);
    if (next === undefined) return current?.value;
    const condition: WriteCondition = current === undefined ? 'absent' : { etag: current.etag };
    const outcome = await writeDocument(store, key, next, condition);
    if (outcome.kind === 'written') return next;
  }
  throw new Retry({ subject: key, message: `changed under us ${updateTries} times in a row; try again` });
}
