import type { LiveCluster } from '../live-ports.ts';
import { textOf } from '../model/json-parts.ts';
import { refOfKey, type LiveObject, type ObjectRef } from '../model/object.ts';
import { isoTime } from '../model/time.ts';
import type { ApiResource } from '../ports.ts';
import { objectDetail } from './ask-records.ts';
import type { LiveObjectView, Logs } from './contract-live.ts';
import type { ApiDeps } from './deps.ts';
import { eventOf, isOwnedBy, maskedLive, podOf, selectorOf } from './live-object.ts';
import { ApiProblem } from './problem.ts';
import type { SeenTarget } from './see-target.ts';

const mostPods = 50;
/** Whose events are asked for, one by one. */
const mostAsked = 12;
const mostEvents = 100;
/** ReplicaSets and Jobs, newest first. */
const mostBetween = 3;

interface Found {
  readonly cluster: LiveCluster;
  readonly object: LiveObject | undefined;
  readonly pods: readonly LiveObject[];
}

/** One object of a target as it is on its cluster now. Throws ApiProblem where this server reaches no cluster. */
export async function liveObject(seen: SeenTarget, key: string, deps: ApiDeps): Promise<LiveObjectView> {
  const { cluster, object, pods } = await find(seen, key, deps);
  const owned = object === undefined ? [] : await betweenOf(cluster, object);
  const about = [...(object === undefined ? [] : [object]), ...owned, ...pods].slice(0, mostAsked);
  const told = await Promise.all(about.map(async (one) => cluster.events(whoOf(one))));
  const events = told.flat().flatMap((event) => eventOf(event) ?? []);
  return {
    key,
    at: isoTime(deps.clock.now()),
    object: object === undefined ? null : maskedLive(object),
    events: events.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, mostEvents),
    pods: pods.map(podOf),
  };
}

interface Wanted {
  readonly key: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
  readonly lines: number;
}

/** The last lines of a pod that the object runs. */
export async function logsOf(seen: SeenTarget, wanted: Wanted, deps: ApiDeps): Promise<Logs> {
  const { key, pod, container, previous, lines } = wanted;
  const { cluster, pods } = await find(seen, key, deps);
  const namespace = pods.find(({ metadata }) => metadata.name === pod)?.metadata.namespace;
  const text =
    namespace === undefined ? undefined : await cluster.logs({ namespace, pod, container, previous, lines });
  if (text !== undefined) return { pod, container, text };
  const title = `There are no ${previous ? 'earlier ' : ''}logs of ${container} in pod ${pod}.`;
  throw new ApiProblem(404, title, 'Load the object again: the pod may be gone, or wait to be started.');
}

async function find(seen: SeenTarget, key: string, deps: ApiDeps): Promise<Found> {
  const { target, inventory } = seen.view;
  if (deps.live?.reaches(target.cluster) !== true) {
    const title = `This dashboard does not look at cluster ${target.cluster} itself.`;
    throw new ApiProblem(
      409,
      title,
      'Start `trueup ui --kubeconfig FILE` with a context for it, or use kubectl.',
    );
  }
  // Of the target alone: what else is on the cluster is none of its business.
  await objectDetail(seen, key, deps);
  const cluster = await deps.live.connect(target.cluster);
  const ref = refOfKey(key);
  const entry = inventory?.entries[key];
  const place = entry ?? (await placeOf(cluster, ref));
  const { namespace, name } = ref;
  const object =
    place && (await cluster.get({ apiVersion: place.apiVersion, plural: place.plural, namespace, name }));
  return { cluster, object, pods: object === undefined ? [] : await podsOf(cluster, object) };
}

async function placeOf(
  cluster: LiveCluster,
  { group, kind }: ObjectRef,
): Promise<{ readonly apiVersion: string; readonly plural: string } | undefined> {
  const served = (await cluster.resources()).find((one) => one.group === group && one.kind === kind);
  return (
    served && {
      apiVersion: group === '' ? served.version : `${group}/${served.version}`,
      plural: served.plural,
    }
  );
}

const verbs = ['list'];
const pod: ApiResource = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs };
const replicaSet: ApiResource = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  namespaced: true,
  verbs,
};
const job: ApiResource = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
  verbs,
};

const between = new Map([
  ['Deployment', replicaSet],
  ['CronJob', job],
]);

async function podsOf(cluster: LiveCluster, object: LiveObject): Promise<readonly LiveObject[]> {
  const { namespace } = object.metadata;
  if (object.kind === 'Pod') return [object];
  const jobs = object.kind === 'CronJob' ? await betweenOf(cluster, object) : [];
  const names = jobs.map(({ metadata }) => metadata.name).join(',');
  const selector = jobs.length > 0 ? `job-name in (${names})` : selectorOf(object);
  if (namespace === undefined || selector === undefined) return [];
  const { items } = await cluster.list(pod, selector, { namespace, most: mostPods });
  return items.slice(0, mostPods);
}

/** What is between a workload and its pods: it says why there are none. */
async function betweenOf(cluster: LiveCluster, object: LiveObject): Promise<readonly LiveObject[]> {
  const { namespace, uid } = object.metadata;
  const resource = between.get(object.kind);
  if (namespace === undefined || resource === undefined) return [];
  const { items } = await cluster.list(resource, selectorOf(object) ?? '', { namespace, most: mostPods });
  const newest = items
    .filter((one) => isOwnedBy(one, uid))
    .sort((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1));
  return newest.slice(0, mostBetween);
}

function createdAt({ metadata }: LiveObject): string {
  return textOf(metadata['creationTimestamp']);
}

function whoOf({ kind, metadata: { namespace, name } }: LiveObject): Parameters<LiveCluster['events']>[0] {
  return { kind, namespace, name };
}
