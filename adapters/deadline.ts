import { setTimeout as delay } from 'node:timers/promises';
import { Retry } from '../core/errors.ts';

/** The result of `work`, or Retry when it takes longer. The work itself goes on unseen: it must be safe to repeat. */
export async function withDeadline<T>(subject: string, milliseconds: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = delay(milliseconds, undefined, { signal: done.signal, ref: false }).then(() => {
    throw new Retry({ subject, message: `took longer than ${milliseconds} ms; try again` });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
