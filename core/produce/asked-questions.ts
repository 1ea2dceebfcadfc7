import { toldOf, type FactsBook, type FactsReader } from '../facts-book.ts';
import type { Application } from '../model/application.ts';
import type { AskedOfCluster } from '../model/asked.ts';
import { lookupsOf } from '../model/lookup.ts';
import { settingsOf } from './pointers.ts';

/** What the applications of one commit asked of each cluster, and what they were told. */
export class AskedQuestions {
  readonly #facts: FactsBook;
  readonly #byCluster = new Map<string, Map<string, AskedOfCluster>>();

  constructor(facts: FactsBook) {
    this.#facts = facts;
  }

  /**
   * `facts`: questions in the words of `valueOfFact`, added to those of earlier calls; `made`: digest of all else that the
   * render was made from. A cluster's own name never changes.
   */
  async note(
    application: Application,
    cluster: string | undefined,
    { facts: questions, made }: { readonly facts: readonly string[]; readonly made?: string },
  ): Promise<void> {
    if (cluster === undefined) return;
    const ofCluster = this.#byCluster.get(cluster) ?? new Map<string, AskedOfCluster>();
    const { name } = application.metadata;
    const reader = readerOf(application);
    const before = ofCluster.get(name);
    const facts = { ...before?.facts };
    for (const question of questions.filter((one) => one !== 'name')) {
      facts[question] = await toldOf(question, this.#facts.of(cluster, reader));
    }
    if (Object.keys(facts).length === 0) return;
    const known = before?.lookups;
    const asks = questions.includes('lookups');
    const lookups = asks ? wishOf(application, reader.as, made ?? known?.made) : known;
    this.#byCluster.set(cluster, ofCluster.set(name, { facts, ...(lookups !== undefined && { lookups }) }));
  }

  get clusters(): readonly string[] {
    return [...this.#byCluster.keys()].sort();
  }

  /** By application. */
  of(cluster: string): Readonly<Record<string, AskedOfCluster>> {
    return Object.fromEntries([...(this.#byCluster.get(cluster) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** With what rights an application is applied, and so what it may look up. */
export function readerOf(application: Application): FactsReader {
  const as = settingsOf(application).impersonate;
  return { application: application.metadata.name, ...(as !== undefined && { as }) };
}

function wishOf(
  { spec }: Application,
  as: FactsReader['as'],
  made: string | undefined,
): AskedOfCluster['lookups'] {
  const declared = spec.source.helm?.lookup;
  if (declared === undefined || typeof declared === 'string') return undefined;
  const lookups = [...lookupsOf(declared, spec.namespace)];
  return { lookups, ...(as !== undefined && { as }), ...(made !== undefined && { made }) };
}
