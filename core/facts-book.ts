import type { ClusterConfig, StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { choosesCluster, clusterSelectorSchema } from './model/cluster-selector.ts';
import { digestOf } from './model/digest.ts';
import { clusterFactsSchema, type Capabilities } from './model/facts.ts';
import { speakerOf, StoredLookups } from './lookup-record.ts';
import { lookupRecordSchema, type LookupWish } from './model/lookup.ts';
import type { Sealer, Store } from './ports.ts';
import { noFacts, type AskedFacts, type KnownLookups } from './render/context.ts';

interface FactsDeps {
  readonly store: Store;
  readonly config: Pick<StackConfig, 'clusters' | 'variables'>;
  readonly sealer: Pick<Sealer, 'unwrap' | 'decrypt'>;
}

/** Who asks: what may be looked up is each application's own. */
export interface FactsReader {
  readonly application: string;
  readonly as?: LookupWish['as'];
}

/** What renders of one examination may know of the clusters. Each document is read once, and only when it is asked for. */
export class FactsBook {
  readonly #deps: FactsDeps;
  readonly #repository: string;
  readonly #config: FactsDeps['config'];
  readonly #capabilities = new Map<string, Promise<Capabilities | undefined>>();
  readonly #lookups = new Map<string, Promise<KnownLookups | undefined>>();

  /** `repository`: the one that is examined. */
  constructor(deps: FactsDeps, repository: string) {
    this.#deps = deps;
    this.#repository = repository;
    this.#config = deps.config;
  }

  /** For an application; undefined: of no cluster. */
  of(cluster: string | undefined, { application, as }: FactsReader): AskedFacts {
    const config = this.#config.clusters.find(({ name }) => name === cluster);
    if (config === undefined) {
      return {
        ...noFacts,
        variable: (key) => memberOf(this.#config.variables, key),
        lookups: async () => noCluster,
      };
    }
    const { name } = config;
    return {
      ...configuredFacts(config, this.#config.variables),
      capabilities: () => {
        const known = this.#capabilities.get(name) ?? this.#read(name);
        this.#capabilities.set(name, known);
        return known;
      },
      lookups: () => {
        const key = keys.lookups({ cluster: name, application }, this.#repository);
        const known = this.#lookups.get(key) ?? this.#readLookups(key, as);
        this.#lookups.set(key, known);
        return known;
      },
    };
  }

  async #readLookups(key: string, as: LookupWish['as']): Promise<KnownLookups | undefined> {
    const document = await readDocument(this.#deps.store, key, lookupRecordSchema).catch((error: unknown) => {
      // The next sweep writes it anew.
      if (error instanceof Stop) return undefined;
      throw error;
    });
    const record = document?.value;
    // What was read with the rights of somebody else is none of its business.
    if (record === undefined || record.as !== speakerOf(as)) return undefined;
    return new StoredLookups(record, this.#deps.sealer);
  }

  async #read(cluster: string): Promise<Capabilities | undefined> {
    const facts = (await readDocument(this.#deps.store, keys.facts(cluster), clusterFactsSchema))?.value;
    return facts && { version: facts.version, apiVersions: facts.apiVersions };
  }
}

/** For an Application whose selector matches none, which is rendered to tell its faults: nothing is ever found. */
const noCluster: KnownLookups = {
  digest: '',
  isHeld: () => false,
  open: async () => ({ found: 'objects', namespaced: true, objects: [], seen: [] }),
};

/** What the stack configuration says of a cluster. */
export function configuredFacts(
  { name, labels, variables = {} }: ClusterConfig,
  ofInstallation: StackConfig['variables'],
): Pick<AskedFacts, 'name' | 'label' | 'isChosenBy' | 'variable'> {
  return {
    name: () => name,
    label: (key) => memberOf(labels, key),
    isChosenBy: (clusters) => choosesCluster(clusters, { name, labels }),
    variable: (key) => memberOf(variables, key) ?? memberOf(ofInstallation, key),
  };
}

/** Own members only: `constructor` is a name like any other. */
function memberOf(members: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

/** What a cluster answers now to a question that a render asked; null for what is not known. */
export async function valueOfFact(question: string, facts: AskedFacts): Promise<string | null> {
  const [kind = '', ...words] = question.split(' ');
  const subject = words.join(' ');
  if (kind === 'name') return facts.name() ?? null;
  if (kind === 'label') return facts.label(subject) ?? null;
  if (kind === 'variable') return facts.variable(subject) ?? null;
  if (kind === 'chosen') return String(facts.isChosenBy(clusterSelectorSchema.parse(JSON.parse(subject))));
  if (kind === 'lookups') return (await facts.lookups())?.digest ?? null;
  const capabilities = await facts.capabilities();
  return capabilities === undefined ? null : digestOf(capabilities);
}

/** As records spell an answer, which may be long or nobody's business. */
export async function toldOf(question: string, facts: AskedFacts): Promise<string | null> {
  const value = await valueOfFact(question, facts);
  return value === null ? null : digestOf(value);
}
