import type { ClusterConfig, StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { digestOf } from '../model/digest.ts';
import { clusterFactsSchema, type Capabilities } from '../model/facts.ts';
import type { Store } from '../ports.ts';
import { noFacts, type AskedFacts } from '../render/context.ts';

/** What renders of one examination may know of the clusters. Each document is read once, and only when it is asked for. */
export class FactsBook {
  readonly #store: Store;
  readonly #config: Pick<StackConfig, 'clusters' | 'variables'>;
  readonly #capabilities = new Map<string, Promise<Capabilities | undefined>>();

  constructor(store: Store, config: Pick<StackConfig, 'clusters' | 'variables'>) {
    this.#store = store;
    this.#config = config;
  }

  /** Undefined: of no cluster. */
  of(cluster: string | undefined): AskedFacts {
    const config = this.#config.clusters.find(({ name }) => name === cluster);
    if (config !== undefined) return this.#factsOf(config);
    return { ...noFacts, variable: (key) => memberOf(this.#config.variables, key) };
  }

  #factsOf({ name, labels, variables = {} }: ClusterConfig): AskedFacts {
    return {
      name: () => name,
      label: (key) => memberOf(labels, key),
      variable: (key) => memberOf(variables, key) ?? memberOf(this.#config.variables, key),
      capabilities: () => {
        const known = this.#capabilities.get(name) ?? this.#read(name);
        this.#capabilities.set(name, known);
        return known;
      },
    };
  }

  async #read(cluster: string): Promise<Capabilities | undefined> {
    const facts = (await readDocument(this.#store, keys.facts(cluster), clusterFactsSchema))?.value;
    return facts && { version: facts.version, apiVersions: facts.apiVersions };
  }
}

/** Own members only: `constructor` is a name like any other. */
function memberOf(members: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

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

  variable(name: string): string | undefined {
    this.#asked.add(`variable ${name}`);
    return this.#facts.variable(name);
  }

  capabilities(): Promise<Capabilities | undefined> {
    this.#asked.add('capabilities');
    return this.#facts.capabilities();
  }
}

/** What a cluster answers now to a question that a render asked; null for what is not known. */
export async function valueOfFact(question: string, facts: AskedFacts): Promise<string | null> {
  const [kind = '', ...words] = question.split(' ');
  const subject = words.join(' ');
  if (kind === 'name') return facts.name() ?? null;
  if (kind === 'label') return facts.label(subject) ?? null;
  if (kind === 'variable') return facts.variable(subject) ?? null;
  const capabilities = await facts.capabilities();
  return capabilities === undefined ? null : digestOf(capabilities);
}
