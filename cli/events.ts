import { timelineOf } from '../core/api/ask-timeline.ts';
import { eventOf } from '../core/api/live-object.ts';
import type { TimelineEvent } from '../core/api/contract.ts';
import type { ApiDeps } from '../core/api/deps.ts';
import type { Person } from '../core/api/person.ts';
import { inBatches } from '../core/in-batches.ts';
import type { LiveCluster } from '../core/live-ports.ts';
import { isoTime } from '../core/model/time.ts';
import type { TargetView } from '../core/view/target-view.ts';
import { CliError } from './cli-error.ts';
import { age, clipped, coloured, table, type Report } from './report.ts';
import { readTargets, type Selection } from './targets.ts';

export interface EventsOptions extends Selection {
  readonly app: string;
  /** Of the last so many seconds. */
  readonly since: number;
}

/** One line; times are ISO 8601. */
interface Told {
  readonly at: string;
  readonly cluster: string;
  /** `trueup` for its own records. */
  readonly source: 'trueup' | 'kubernetes';
  readonly type: string;
  readonly about: string;
  readonly message: string;
  readonly count: number;
}

const readsAtOnce = 8;
/** Of one namespace: a server keeps them for an hour, and a broken controller writes thousands. */
const mostRead = 5000;
/** Every server has it. */
const eventResource = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  verbs: ['list'],
};
const kindsWithEvents = new Set(['ReplicaSet', 'Pod', 'Job']);

/**
 * What happened to an application, newest first: from the records of trueup, and where a kubeconfig leads to its clusters,
 * from Kubernetes too, of its objects and of what their controllers made.
 */
export async function events(
  deps: ApiDeps,
  person: Person,
  { since, ...selection }: EventsOptions,
): Promise<Report> {
  const views = await readTargets(deps.store, selection);
  const now = deps.clock.now();
  const from = isoTime(now - since * 1000);
  const span = {
    application: selection.app,
    ...(selection.cluster !== undefined && { cluster: selection.cluster }),
    from,
  };
  const { events: own, cut } = await timelineOf(span, person, deps);
  const reached = views.filter(({ target }) => deps.live?.reaches(target.cluster) === true);
  if (deps.live !== undefined && reached.length === 0) {
    throw new CliError(
      'No context of the kubeconfig leads to a cluster of this application. Name one like the cluster, or say which leads there: --cluster NAME --context NAME.',
    );
  }
  const told = await inBatches(reached, readsAtOnce, async (view) => {
    const cluster = await deps.live?.connect(view.target.cluster);
    return cluster === undefined ? { events: [], full: [] } : kubernetesEvents(cluster, view);
  });
  const all = [...own.map(ownEvent), ...told.flatMap((each) => each.events)]
    .filter(({ at }) => at >= from)
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  const head = ['WHEN', 'CLUSTER', 'FROM', 'TYPE', 'ABOUT', 'MESSAGE'];
  const rows = all.map(({ at, cluster, source, type, about, message, count }) => [
    `${age(at, now)} ago${count > 1 ? ` (x${count})` : ''}`,
    cluster,
    source,
    coloured(type),
    about,
    clipped(message, 100),
  ]);
  const wide = all.map(({ message }, index) => [...(rows[index] ?? []).slice(0, -1), message]);
  return {
    data: all,
    text: all.length === 0 ? 'nothing happened in that time' : table(head, rows),
    wide: table(head, wide),
    names: [...new Set(all.flatMap(({ about }) => (about === '-' ? [] : [about])))],
    notes: [
      ...(cut ? ['There is more than is shown: name a shorter --since.'] : []),
      ...told.flatMap(({ full }) => full),
    ],
  };
}

function ownEvent({ at, kind, cluster, application, title, detail }: TimelineEvent): Told {
  const about = cluster === undefined || application === undefined ? '-' : `${cluster}/${application}`;
  const message = detail === '' ? title : `${title}; ${detail}`;
  return { at, cluster: cluster ?? '-', source: 'trueup', type: kind, about, message, count: 1 };
}

/** Of the objects of a target, and of ReplicaSets, Jobs and pods whose names begin as theirs do. */
async function kubernetesEvents(
  cluster: LiveCluster,
  { target, inventory }: TargetView,
): Promise<{ readonly events: readonly Told[]; readonly full: readonly string[] }> {
  const refs = Object.values(inventory?.entries ?? {}).map(({ ref }) => ref);
  const namespaces = [...new Set(refs.flatMap(({ namespace }) => namespace ?? []))];
  const own = new Set(refs.map(({ kind, namespace, name }) => `${namespace}/${kind}/${name}`));
  const isOurs = (namespace: string, about: string): boolean => {
    if (own.has(`${namespace}/${about}`)) return true;
    const [kind = '', name = ''] = about.split('/');
    return (
      kindsWithEvents.has(kind) &&
      refs.some((ref) => ref.namespace === namespace && name.startsWith(`${ref.name}-`))
    );
  };
  const lists = await inBatches(namespaces, readsAtOnce, async (namespace) => {
    const { items } = await cluster.list(eventResource, '', { namespace, most: mostRead });
    const found = items.slice(0, mostRead).flatMap((item) => {
      const event = eventOf(item);
      return event !== undefined && isOurs(namespace, event.about) ? [event] : [];
    });
    return { namespace, found, isFull: items.length > mostRead };
  });
  const full = lists.flatMap(({ namespace, isFull }) =>
    isFull
      ? [`${target.cluster}: namespace ${namespace} has more than ${mostRead} events; not all were read`]
      : [],
  );
  const told = lists.flatMap(({ found }) =>
    found.map(({ at, type, about, reason, message, count }): Told => ({
      at: isoTime(Date.parse(at)),
      cluster: target.cluster,
      source: 'kubernetes',
      type,
      about,
      message: `${reason}: ${message}`,
      count,
    })),
  );
  return { events: told, full };
}
