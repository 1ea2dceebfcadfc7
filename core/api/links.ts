import { awsConsole } from '../contract/aws-domain.ts';
import { placeOf } from '../contract/cluster-access.ts';
import type { ClusterConfig } from '../contract/config.ts';
import { fillLink, type DashboardLink } from '../contract/dashboard-links.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { ObjectRef } from '../model/object.ts';
import type { Target } from '../model/target.ts';
import type { Commands, Links } from './contract-live.ts';

/** Where an object is, and how kubectl finds it. */
interface Place {
  readonly ref: ObjectRef;
  /** Of the inventory, which knows its plural; undefined before it was applied. */
  readonly entry: Pick<InventoryEntry, 'plural'> | undefined;
}

/** Of a target: the console of its cluster, and what the configuration names that asks for no object. */
export function targetLinks(
  target: Target,
  cluster: ClusterConfig | undefined,
  templates: readonly DashboardLink[],
): Links {
  const console = cluster && eksConsole(cluster);
  const own = templates.flatMap((template) => fillLink(template, { ...target }) ?? []);
  return [...(console === undefined ? [] : [console]), ...own];
}

/** Of one object: what the configuration names for its kind. */
export function objectLinks(target: Target, { ref }: Place, templates: readonly DashboardLink[]): Links {
  const { group, kind, namespace = '', name } = ref;
  return templates.flatMap(
    (template) => fillLink(template, { ...target, group, kind, namespace, name }) ?? [],
  );
}

function eksConsole({ access }: ClusterConfig): Links[number] | undefined {
  if (access.type !== 'eks') return undefined;
  const { name, region } = placeOf(access);
  // Without a region it is that of the stack, which the page does not know.
  if (region === undefined) return undefined;
  const url = `https://${awsConsole(region)}/eks/home?region=${region}#/clusters/${encodeURIComponent(name)}`;
  return { title: 'EKS console', url };
}

const withLogs = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'Pod']);
const withRollouts = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** What a person types who has rights of their own on the cluster; quoted for any POSIX shell. Nothing here writes. */
export function kubectlCommands({ ref, entry }: Place, cluster: ClusterConfig | undefined): Commands {
  const { group, kind, namespace, name } = ref;
  const type = entry?.plural ?? kind.toLowerCase();
  const named = `${group === '' ? type : `${type}.${group}`}/${name}`;
  const arn = cluster?.access.type === 'eks' ? cluster.access.arn : undefined;
  const options = [
    // What `aws eks update-kubeconfig` calls its contexts.
    ...(arn === undefined ? [] : ['--context', arn]),
    ...(namespace === undefined ? [] : ['--namespace', namespace]),
  ];
  const kubectl = (...words: string[]): string =>
    ['kubectl', ...[...options, ...words].map(quoted)].join(' ');
  const isSecret = kind === 'Secret' && group === '';
  return [
    ...(withLogs.has(kind)
      ? [{ title: 'Logs', command: kubectl('logs', named, '--all-containers', '--tail', '300', '--follow') }]
      : []),
    { title: 'Events', command: kubectl('events', '--for', named) },
    { title: 'Describe', command: kubectl('describe', named) },
    ...(withRollouts.has(kind) ? [{ title: 'Rollout', command: kubectl('rollout', 'status', named) }] : []),
    // `describe` tells no values.
    ...(isSecret ? [] : [{ title: 'Live object', command: kubectl('get', named, '--output', 'yaml') }]),
  ];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
