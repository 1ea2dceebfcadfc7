import { messageOf } from '../../core/errors.ts';
import type { Seen } from '../../core/doctor/finding.ts';

/** One fact; whatever kept it from being had is told in its place, since the others are still worth knowing. */
export async function look<T>(ask: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { seen: await ask() };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}
