/** Thrown when something that must always hold does not. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

const kept = 60;

/** What happened, as a digest of all of it and the last lines in words: equal digests are equal runs. */
export class Trace {
  #high = 0x811c9dc5;
  #low = 0x1b873593;
  #lines = 0;
  readonly #last: string[] = [];
  readonly #print: ((line: string) => void) | undefined;
  readonly #now: () => number;

  constructor(now: () => number, print?: (line: string) => void) {
    this.#now = now;
    this.#print = print;
  }

  note(line: string): void {
    const text = `${new Date(this.#now()).toISOString()} ${line}`;
    for (let place = 0; place < text.length; place += 1) {
      const code = text.charCodeAt(place);
      this.#high = Math.imul(this.#high ^ code, 0x01000193);
      this.#low = Math.imul(this.#low ^ (code + place), 0x85ebca6b);
    }
    this.#lines += 1;
    this.#last.push(text);
    if (this.#last.length > kept) this.#last.shift();
    this.#print?.(text);
  }

  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return `${hex(this.#high)}${hex(this.#low)}-${this.#lines}`;
  }

  get last(): readonly string[] {
    return this.#last;
  }
}
