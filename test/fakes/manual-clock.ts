import type { Clock, Ids } from '../../core/ports.ts';

/** A clock that stands still until told; sleeping moves it. */
export class ManualClock implements Clock {
  #now: number;
  constructor(start = '2026-11-23T12:00:00.000Z') {
    this.#now = Date.parse(start);
  }
  now(): number {
    return this.#now;
  }
  async sleep(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
  }
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** `id-0001`, `id-0002`, …: sorted by creation, as the real ones are. */
export class CountingIds implements Ids {
  #count = 0;
  next(): string {
    this.#count += 1;
    return `id-${String(this.#count).padStart(4, '0')}`;
  }
}
