import type { ClusterSelector } from '../model/cluster-selector.ts';
import type { Capabilities } from '../model/facts.ts';
import type { AskedFacts, KnownLookups } from '../render/context.ts';

/** Facts that note what is asked of them. */
export class RecordedFacts implements AskedFacts {
  readonly #facts: AskedFacts;
  readonly #asked = new Set<string>();

  constructor(facts: AskedFacts) {
    this.#facts = facts;
  }

  /** In the words of `valueOfFact`. */
  get asked(): readonly string[] {
    return [...this.#asked].sort();
  }

  name(): string | undefined {
    this.#asked.add('name');
    return this.#facts.name();
  }

  label(key: string): string | undefined {
    this.#asked.add(`label ${key}`);
    return this.#facts.label(key);
  }

  isChosenBy(clusters: ClusterSelector): boolean {
    this.#asked.add(`chosen ${JSON.stringify(clusters)}`);
    return this.#facts.isChosenBy(clusters);
  }

  variable(name: string): string | undefined {
    this.#asked.add(`variable ${name}`);
    return this.#facts.variable(name);
  }

  capabilities(): Promise<Capabilities | undefined> {
    this.#asked.add('capabilities');
    return this.#facts.capabilities();
  }

  lookups(): Promise<KnownLookups | undefined> {
    this.#asked.add('lookups');
    return this.#facts.lookups();
  }
}
