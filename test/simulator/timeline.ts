interface Due {
  readonly at: number;
  /** Breaks ties: what was asked for first happens first. */
  readonly order: number;
  readonly happen: () => void;
}

/**
 * Virtual time. One thing happens at a time, and all that follows from it has come to rest before the next: so the order
 * is the same in every run, and a month passes as fast as its work can be done.
 */
export class Timeline {
  /** A binary heap, soonest first. */
  readonly #due: Due[] = [];
  #now: number;
  #order = 0;
  /** How many things happened. */
  steps = 0;

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  at(time: number, happen: () => void): void {
    this.#order += 1;
    const due = { at: Math.max(time, this.#now), order: this.#order, happen };
    const heap = this.#due;
    let place = heap.length;
    for (let parent = (place - 1) >> 1; place > 0; parent = (place - 1) >> 1) {
      const above = heap[parent];
      if (above === undefined || !isSooner(due, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = due;
  }

  after(milliseconds: number, happen: () => void): void {
    this.at(this.#now + milliseconds, happen);
  }

  async wait(milliseconds: number): Promise<void> {
    return new Promise((done) => {
      this.after(milliseconds, done);
    });
  }

  /** Lets everything happen that is due until then, in order. `isOver` is asked after each. */
  async run(until: number, isOver: () => boolean = () => false): Promise<void> {
    for (let due = this.#due[0]; due !== undefined && due.at <= until; due = this.#due[0]) {
      this.#takeFirst();
      this.#now = due.at;
      this.steps += 1;
      due.happen();
      await settled();
      if (isOver()) return;
    }
    this.#now = Math.max(this.#now, until);
  }

  #takeFirst(): void {
    const heap = this.#due;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const next = right !== undefined && left !== undefined && isSooner(right, left) ? right : left;
      if (next === undefined || !isSooner(next, last)) break;
      heap[place] = next;
      place = next === right ? 2 * place + 2 : 2 * place + 1;
    }
    heap[place] = last;
  }
}

function isSooner(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/**
 * All promises that could go on have gone on: the core awaits nothing but its ports, which wait on the timeline. A tick
 * comes when no promise is left that could, and costs no turn of the event loop: a tenth of a simulation. It is asked for
 * from among them: one that a callback of Node's asks for comes before all promises, and a seed would be another one there.
 */
async function settled(): Promise<void> {
  return new Promise((done) => {
    queueMicrotask(() => process.nextTick(done));
  });
}
