import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import {
  nothingPromoted,
  promotedSchema,
  withSeen,
  type Promoted,
  type SeenCommit,
} from './model/promoted.ts';
import type { Store } from './ports.ts';

/** What was promoted to an environment so far. */
export async function readPromoted(store: Store, environment: string): Promise<Promoted> {
  const found = await readDocument(store, keys.promoted(environment), promotedSchema);
  return found?.value ?? nothingPromoted(environment);
}

/** The same, with commits noted that the environment before has had. */
export async function noteSeen(
  store: Store,
  environment: string,
  commits: readonly SeenCommit[],
): Promise<Promoted> {
  const key = keys.promoted(environment);
  const noted = await updateDocument(store, key, promotedSchema, (current) => {
    const before = current ?? nothingPromoted(environment);
    const next = withSeen(before, commits);
    return next === before ? undefined : next;
  });
  return noted ?? nothingPromoted(environment);
}

/** Only over what was read: whoever was faster has looked at something newer. Tells whether it was written. */
export async function replacePromoted(
  store: Store,
  own: Promoted,
  next: Omit<Promoted, 'seq'>,
): Promise<boolean> {
  let isOurs = false;
  await updateDocument(store, keys.promoted(own.environment), promotedSchema, (current) => {
    isOurs = (current?.seq ?? 0) === own.seq;
    return isOurs ? { ...next, seq: own.seq + 1 } : undefined;
  });
  return isOurs;
}

/** What waits, and why; kept only where it is news, as often as it is asked. */
export async function noteWaiting(
  store: Store,
  own: Promoted,
  waiting: NonNullable<Promoted['waiting']>,
): Promise<void> {
  if (own.waiting?.why === waiting.why && own.waiting.sha === waiting.sha) return;
  await replacePromoted(store, own, { ...own, waiting });
}
