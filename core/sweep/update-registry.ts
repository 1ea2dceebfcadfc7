import { placeOfArn } from '../contract/cluster-access.ts';
import type { StackConfig } from '../contract/config.ts';
import { discoveryKey, scopeOf, type Discovery } from '../contract/discovery.ts';
import { declares } from '../fleet.ts';
import { withForgotten } from '../forget-cluster.ts';
import type { ClusterRegistry, DiscoveryState, FoundCluster } from '../model/cluster-registry.ts';
import { nameSchema } from '../model/target.ts';
import { millisecondsOf } from '../model/time.ts';
import type { EksCluster, EksListing } from '../ports.ts';

/** What an account and region answered, by scope; a text is why it did not. */
export type Listings = ReadonlyMap<string, EksListing | string>;

type FleetConfig = Pick<StackConfig, 'clusters' | 'discovery'>;

/** A cluster that was missing for so long is forgotten without a person's word. */
const forgottenAfterMs = 30 * 24 * 3_600_000;

const nothing: ClusterRegistry = {
  version: 1,
  seq: 0,
  clusters: {},
  discoveries: {},
  refused: {},
  forgotten: [],
};

/**
 * The registry after a look at every account. Only a complete answer can make a cluster missing; and one that is
 * missing keeps its name and labels, so that nothing is taken for deselected (rule 7 of the design). `seq` is as it was.
 */
export function updateRegistry(
  before: ClusterRegistry = nothing,
  config: FleetConfig,
  listings: Listings,
  at: string,
): ClusterRegistry {
  const listed = Object.fromEntries(
    Object.values(before.clusters)
      .filter((found) => !declares(config.clusters, found))
      .map((found) => inScope(found, config, listings))
      .map((found) => [found.arn, lookedAgain(found, config, listings, at)]),
  );
  const { added, refused } = newcomers(before, config, listings, { known: listed, at });
  const discoveries = Object.fromEntries(
    config.discovery.map((one) => [discoveryKey(one), stateOf(one, before, listings, at)]),
  );
  const all = { ...before, clusters: { ...listed, ...added }, discoveries, refused };
  const overdue = Object.values(listed).filter(
    ({ missing }) =>
      missing !== undefined && millisecondsOf(at) - millisecondsOf(missing.since) > forgottenAfterMs,
  );
  const why = { at, by: 'trueup', reason: 'it was missing for 30 days' };
  return overdue.reduce((registry, { arn }) => withForgotten(registry, arn, why), all);
}

/** Whose discovery was spelled anew, its region given say: it is the same cluster, in the account and region of now. */
function inScope(found: FoundCluster, { discovery }: FleetConfig, listings: Listings): FoundCluster {
  if (discovery.some((one) => scopeOf(one) === found.scope)) return found;
  const [scope] =
    [...listings].find(
      ([, listing]) => typeof listing !== 'string' && listing.clusters.some(({ arn }) => arn === found.arn),
    ) ?? [];
  return scope === undefined ? found : { ...found, scope };
}

/** A cluster that is known already. */
function lookedAgain(found: FoundCluster, config: FleetConfig, listings: Listings, at: string): FoundCluster {
  const listing = listings.get(found.scope);
  // Nothing is looked for there any more, or there was no answer: the last that was known stays.
  if (listing === undefined || typeof listing === 'string') return found;
  const eks = listing.clusters.find(({ arn }) => arn === found.arn);
  const name = placeOfArn(found.arn)?.name ?? '';
  if (eks === undefined && listing.unread?.names.includes(name) === true) return found;
  const { missing, ...known } = found;
  if (eks === undefined) return { ...known, missing: since(missing, 'gone', at) };
  const one = choosing(eks, found.scope, config);
  if (one === undefined) return { ...known, ...wordsOf(eks), missing: since(missing, 'left', at) };
  const { arn, name: bound, scope, foundAt } = known;
  const labels = labelsOf(eks, one);
  return { name: bound, arn, scope, labels, foundAt, ...roleOf(one), ...wordsOf(eks) };
}

function since(
  missing: FoundCluster['missing'],
  why: 'gone' | 'left',
  at: string,
): NonNullable<FoundCluster['missing']> {
  return missing?.why === why ? missing : { since: at, why };
}

interface Newcomers {
  readonly added: ClusterRegistry['clusters'];
  readonly refused: ClusterRegistry['refused'];
}

/**
 * Clusters that were not known. A name belongs to whoever has it: taking it over would lay the records of one cluster
 * over another. Of several newcomers of one name none gets it, since which was meant is not ours to guess; nor does one
 * of them when the account of the other does not answer for a while.
 */
function newcomers(
  before: ClusterRegistry,
  config: FleetConfig,
  listings: Listings,
  { known, at }: { readonly known: ClusterRegistry['clusters']; readonly at: string },
): Newcomers {
  const come = [...listings].flatMap(([scope, listing]) =>
    typeof listing === 'string'
      ? []
      : listing.clusters.flatMap((eks) => newcomer(eks, scope, config, known, at)),
  );
  const declared = config.clusters.map(({ name }) => ({ name, arn: undefined }));
  const byName = Map.groupBy([...declared, ...Object.values(known), ...come], ({ name }) => name);
  const isBlind = [...listings.values()].some((listing) => failureOf(listing) !== undefined);
  const refusalOf = ({ arn, name }: FoundCluster): string | undefined => {
    if (!nameSchema.safeParse(name).success) return unfitName(name);
    const rivals = (byName.get(name) ?? []).filter((one) => one.arn !== arn);
    // Who had the name first yields to nobody but the stack configuration.
    const heeded = Object.hasOwn(known, arn) ? rivals.filter((one) => one.arn === undefined) : rivals;
    if (heeded.length > 0) return takenName(name, heeded);
    return isBlind && !Object.hasOwn(known, arn) ? before.refused[arn] : undefined;
  };
  const refused = [...Object.values(known), ...come].flatMap((found) => {
    const refusal = refusalOf(found);
    return refusal === undefined ? [] : [[found.arn, refusal] as const];
  });
  const isRefused = new Set(refused.map(([arn]) => arn));
  const taken = come.filter(({ arn }) => !isRefused.has(arn));
  return {
    added: Object.fromEntries(taken.map((found) => [found.arn, found])),
    refused: Object.fromEntries(refused),
  };
}

function unfitName(name: string): string {
  return `"${name}" is no name for a cluster in trueup (lower-case letters, digits and dashes, at most 53); declare it by its ARN under another`;
}

function takenName(name: string, rivals: readonly { readonly arn: string | undefined }[]): string {
  const others = rivals.map(({ arn }) => arn ?? 'a cluster of the stack configuration').join(' and ');
  return `the name ${name} is that of ${others}; give its discovery a namePrefix, or declare it by its ARN under another name`;
}

function newcomer(
  eks: EksCluster,
  scope: string,
  config: FleetConfig,
  known: ClusterRegistry['clusters'],
  at: string,
): FoundCluster[] {
  const one = choosing(eks, scope, config);
  if (one === undefined || Object.hasOwn(known, eks.arn)) return [];
  const name = `${one.namePrefix ?? ''}${eks.name.toLowerCase().replaceAll('_', '-')}`;
  const labels = labelsOf(eks, one);
  const found = { name, arn: eks.arn, scope, labels, foundAt: at, ...roleOf(one), ...wordsOf(eks) };
  return declares(config.clusters, found) ? [] : [found];
}

/** The first discovery that the cluster's tags fit. */
function choosing(eks: EksCluster, scope: string, { discovery }: FleetConfig): Discovery | undefined {
  return discovery.find(
    (one) =>
      scopeOf(one) === scope &&
      Object.entries(one.tags).every(([tag, value]) =>
        Object.hasOwn(eks.tags, tag) ? value === '*' || eks.tags[tag] === value : false,
      ),
  );
}

function labelsOf(eks: EksCluster, { labels, labelsFromTags: wanted }: Discovery): FoundCluster['labels'] {
  const fromTags = Object.entries(eks.tags).flatMap(([tag, value]): [string, string][] => {
    if (wanted === undefined) return [];
    if (typeof wanted !== 'string') {
      const label = Object.hasOwn(wanted, tag) ? wanted[tag] : undefined;
      return label === undefined ? [] : [[label, value]];
    }
    const isMeant = tag.startsWith(wanted) && tag.length > wanted.length;
    return isMeant ? [[tag.slice(wanted.length), value]] : [];
  });
  return { ...Object.fromEntries(fromTags), ...labels };
}

function wordsOf({ version, status }: EksCluster): Pick<FoundCluster, 'version' | 'status'> {
  return { ...(version !== undefined && { version }), ...(status !== undefined && { status }) };
}

function roleOf({ roleArn, externalId }: Discovery): Pick<FoundCluster, 'roleArn' | 'externalId'> {
  return { ...(roleArn !== undefined && { roleArn }), ...(externalId !== undefined && { externalId }) };
}

function stateOf(one: Discovery, before: ClusterRegistry, listings: Listings, at: string): DiscoveryState {
  const key = discoveryKey(one);
  const last = before.discoveries[key];
  const listing = listings.get(scopeOf(one));
  const reason = failureOf(listing);
  const listed = last?.listed === true || reason === undefined;
  if (reason === undefined) return { listed };
  return { listed, failing: { since: last?.failing?.since ?? at, reason } };
}

function failureOf(listing: EksListing | string | undefined): string | undefined {
  if (listing === undefined) return 'was not looked at';
  if (typeof listing === 'string') return listing;
  const { unread } = listing;
  return unread && `${unread.names.join(', ')}: ${unread.reason}`;
}
