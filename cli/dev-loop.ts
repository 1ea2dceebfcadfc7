/** What may be asked for while a folder is being watched; an apply is worth more than a plan. */
export type Ask = 'plan' | 'apply';

/**
 * Does one thing at a time: whatever is asked for meanwhile is done once, afterwards. `ended` settles when the loop is
 * stopped and idle, and rejects with what the work throws.
 */
export class DevLoop {
  readonly #work: (ask: Ask) => Promise<void>;
  /** Resolves when an editor that has saved one file has saved the others too. */
  readonly #calm: () => Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  #next: Ask | undefined;
  #isBusy = false;
  #isStopped = false;

  constructor(work: (ask: Ask) => Promise<void>, calm: () => Promise<void>) {
    this.#work = work;
    this.#calm = calm;
  }

  get ended(): Promise<void> {
    return this.#end.promise;
  }

  want(ask: Ask): void {
    if (this.#isStopped) return;
    if (this.#next !== 'apply') this.#next = ask;
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#drain().catch(this.#end.reject);
  }

  /** What is under way is brought to its end, and nothing else is begun. */
  stop(): void {
    this.#isStopped = true;
    if (!this.#isBusy) this.#end.resolve();
  }

  async #drain(): Promise<void> {
    while (this.#next !== undefined && !this.#isStopped) {
      await this.#calm();
      const ask: Ask = this.#next;
      this.#next = undefined;
      await this.#work(ask);
    }
    this.#isBusy = false;
    if (this.#isStopped) this.#end.resolve();
  }
}
