import { setTimeout as delay } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { Clock, Ids } from '../core/ports.ts';

/** The machine's clock. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }
  async sleep(milliseconds: number): Promise<void> {
    await delay(milliseconds);
  }
}

/** UUIDs of version 7: they sort by time of creation, also within one millisecond of one process. */
export class SystemIds implements Ids {
  next(): string {
    return v7();
  }
}
