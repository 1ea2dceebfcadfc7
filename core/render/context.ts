import { hasCluster, type ClusterSelector } from '../model/cluster-selector.ts';
import type { Capabilities } from '../model/facts.ts';
import { Stop } from '../errors.ts';
import type { Lookup } from '../model/lookup.ts';
import type { Charts, Renderers, Worktree } from '../ports.ts';
import type { ReadLookup } from '../read-lookup.ts';

/**
 * What a render may ask of the cluster that it is for. Each answer that was asked for is an input of the render, so that
 * clusters which answer alike share one snapshot: ask for nothing that the output does not depend on.
 */
export interface AskedFacts {
  /** Name in the stack configuration; undefined for a render that is for no cluster. */
  name(): string | undefined;
  label(key: string): string | undefined;
  /** Whether a selector has the cluster: clusters of different labels that it has alike answer alike. */
  isChosenBy(clusters: ClusterSelector): boolean;
  /** A variable of the stack configuration: the cluster's own, else that of the installation. */
  variable(name: string): string | undefined;
  /** Undefined as long as the cluster was never swept. */
  capabilities(): Promise<Capabilities | undefined>;
  /** What the application may look up, as far as it is known; undefined where nobody looked yet. */
  lookups(): Promise<KnownLookups | undefined>;
}

/** What is known of declared lookups. */
export interface KnownLookups {
  /** Of everything that is known: another one, another render. */
  readonly digest: string;
  /** The answers have changed again and again with nothing but the application's own objects; `made`: of all else. */
  isHeld(made: string): boolean;
  /** Secret values in the clear. Undefined where nobody looked yet. */
  open(lookup: Lookup): Promise<ReadLookup | undefined>;
}

/** Of a render that is for no cluster: by hand, or of an Application whose selector matches none. */
export const noFacts: AskedFacts = {
  name: () => undefined,
  label: () => undefined,
  isChosenBy: (clusters) => hasCluster(clusters, undefined, () => undefined),
  variable: () => undefined,
  capabilities: async () => undefined,
  lookups: async () => undefined,
};

/** Where no chart repository is declared. */
export const noCharts: Charts = {
  fetch: (reference) => {
    const subject = 'oci' in reference ? reference.oci : `${reference.repository} ${reference.name}`;
    throw new Stop({ subject, message: 'is no chart repository that the stack configuration declares' });
  },
  unpack: (_archive, subject) => {
    throw new Stop({ subject, message: 'is an archive, and no chart repository is declared' });
  },
};

/** A folder of another repository, at a commit that never moves. */
export interface FoundBase {
  readonly worktree: Worktree;
  /** As messages call it, e.g. `acme/bases@0123456789ab`. */
  readonly name: string;
  readonly path: string;
}

/** Finds the base that an address in a kustomization means; undefined for what the stack configuration does not declare. */
export interface Bases {
  find(address: string): Promise<FoundBase | undefined>;
}

/** Everything that a render is made from, besides the source as the Application spells it. */
export interface RenderContext {
  readonly worktree: Worktree;
  readonly renderers: Renderers;
  readonly charts: Charts;
  readonly bases?: Bases;
  readonly facts: AskedFacts;
  readonly applicationName: string;
  /** For namespaced objects that name none. */
  readonly namespace: string;
  /** Other repositories at their tracked head, by the `ref` of `spec.sources`. */
  readonly references: ReadonlyMap<string, Worktree>;
}
