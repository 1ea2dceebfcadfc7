import { placeOf } from '../core/contract/cluster-access.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { keys, prefixes } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { Stop } from '../core/errors.ts';
import { fleetOf, type Fleet, type FleetCluster } from '../core/fleet.ts';
import { forgetCluster } from '../core/forget-cluster.ts';
import { inBatches } from '../core/in-batches.ts';
import type { ClusterCheck } from '../core/model/check.ts';
import { clusterRegistrySchema } from '../core/model/cluster-registry.ts';
import { clusterFactsSchema } from '../core/model/facts.ts';
import { isoTime } from '../core/model/time.ts';
import type { Store } from '../core/ports.ts';
import { CliError } from './cli-error.ts';
import { age, coloured, table, type Report } from './report.ts';
import type { Session } from './session.ts';
import { readChecks } from './targets.ts';

/** One cluster; times are ISO 8601. */
interface Row {
  readonly name: string;
  /** How it is known and entered: `declared` or `found`. */
  readonly origin: string;
  /** ARN or name of the EKS cluster, or the secret of its kubeconfig. */
  readonly access: string;
  readonly roleArn?: string;
  readonly account?: string;
  readonly region?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly state: 'Reachable' | 'Unreachable' | 'Missing' | 'Unchecked';
  readonly checkedAt?: string;
  readonly targets: number;
  /** Why it is not Reachable. */
  readonly message: string;
}

const readsAtOnce = 20;

/** Every cluster that is served, declared or found: where, since when it answers, and what was not found. */
export async function clusters(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  config: StackConfig,
): Promise<Report> {
  const registry = (await readDocument(store, keys.clusterRegistry, clusterRegistrySchema))?.value;
  const fleet = fleetOf(config, registry);
  const rows = await rowsOf(store, fleet);
  const { refused = {}, discoveries = {}, forgotten = [] } = registry ?? {};
  const now = clock.now();
  const lines = rows.map((row) => [
    row.name,
    row.account ?? '-',
    row.region ?? '-',
    row.version ?? '-',
    coloured(row.state),
    age(row.checkedAt, now),
    String(row.targets),
    labelsOf(row) || '-',
  ]);
  const head = ['CLUSTER', 'ACCOUNT', 'REGION', 'VERSION', 'STATE', 'CHECKED', 'TARGETS', 'LABELS'];
  const messages = [
    ...rows.flatMap(({ name, message }) => (message === '' ? [] : [`${name}: ${message}`])),
    ...Object.entries(refused).map(([arn, why]) => `${arn} is not served: ${why}`),
    ...Object.entries(discoveries).flatMap(([what, { failing }]) =>
      failing === undefined ? [] : [`not looked for since ${failing.since} (${what}): ${failing.reason}`],
    ),
  ];
  const text = [table(head, lines), ...(messages.length === 0 ? [] : ['', ...messages])].join('\n');
  return { data: { clusters: rows, refused, discoveries, forgotten }, text };
}

async function rowsOf(store: Store, { clusters: all }: Fleet): Promise<readonly Row[]> {
  const checks = await readChecks(
    store,
    all.map(({ name }) => name),
  );
  const targets = new Map<string, number>();
  for await (const key of store.list(prefixes.desired)) {
    const cluster = key.slice(prefixes.desired.length).split('/')[0] ?? '';
    targets.set(cluster, (targets.get(cluster) ?? 0) + 1);
  }
  return inBatches(all, readsAtOnce, async (cluster) => {
    const version = (await versionOn(store, cluster.name)) ?? cluster.found?.version;
    const count = targets.get(cluster.name) ?? 0;
    return rowOf(cluster, { check: checks.get(cluster.name), version, targets: count });
  });
}

/** As the API server itself says, at the last sweep. */
async function versionOn(store: Store, cluster: string): Promise<string | undefined> {
  try {
    return (await readDocument(store, keys.facts(cluster), clusterFactsSchema))?.value.version;
  } catch (error) {
    // The next sweep writes it anew.
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

interface Known {
  readonly check: ClusterCheck | undefined;
  readonly version: string | undefined;
  readonly targets: number;
}

function rowOf({ name, labels, access, found }: FleetCluster, { check, version, targets }: Known): Row {
  const { unreachable, at } = check ?? {};
  const told = {
    ...(version !== undefined && { version }),
    ...(at !== undefined && { checkedAt: at }),
    targets,
  };
  const origin = found === undefined ? 'declared' : 'found';
  const message = unreachable ?? (check === undefined ? 'no sweep has looked at it yet' : '');
  const answers = unreachable === undefined ? ('Reachable' as const) : ('Unreachable' as const);
  const state = check === undefined ? 'Unchecked' : answers;
  const known = {
    name,
    origin,
    labels,
    ...told,
    state: found?.missing === undefined ? state : 'Missing',
    message: missingText(found, message),
  } as const;
  if (access.type === 'kubeconfig') return { ...known, access: `secret ${access.secret}` };
  const { account, region } = placeOf(access);
  return {
    ...known,
    access: access.arn ?? access.name ?? '',
    ...(access.roleArn !== undefined && { roleArn: access.roleArn }),
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
  };
}

/** No sweep may have met it yet. */
function missingText(found: FleetCluster['found'], message: string): string {
  if (found?.missing === undefined || message.includes(found.missing.since)) return message;
  const { since, why } = found.missing;
  return `${why === 'gone' ? 'it is gone' : 'its tags are gone'} since ${since}; to have it forgotten: trueup clusters --forget ${found.name}`;
}

function labelsOf({ labels }: Row): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',');
}

/** Has a missing cluster forgotten; renders give it up with the next sweep of the fleet, and nothing on it is touched. */
export async function forget(
  { store, clock, whoAmI }: Pick<Session, 'store' | 'clock' | 'whoAmI'>,
  name: string,
  reason: string,
): Promise<Report> {
  const at = isoTime(clock.now());
  try {
    await forgetCluster(store, name, { at, by: await whoAmI(), reason });
  } catch (error) {
    if (error instanceof Stop) throw new CliError(error.message, { cause: error });
    throw error;
  }
  return {
    data: { forgotten: name, at, reason },
    text: `${name} is forgotten; the next sweep tells the renders.`,
  };
}
