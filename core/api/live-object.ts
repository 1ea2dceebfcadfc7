import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { itemsOf, membersOf, objectsOf, textOf } from '../model/json-parts.ts';
import type { KubeObject, LiveObject } from '../model/object.ts';
import type { LiveObjectView } from './contract-live.ts';

type KubeEvent = LiveObjectView['events'][number];
type Pod = LiveObjectView['pods'][number];
type Container = Pod['containers'][number];

/** What is shown of live objects; pure. */

const mask = '(not shown)';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without values of Secrets, wherever the object repeats them, and without the bookkeeping of the server. */
export function maskedLive(object: LiveObject): Json {
  const { managedFields: _, annotations = {}, ...metadata } = object.metadata;
  const { [lastApplied]: __, ...kept } = annotations;
  const shown = { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) };
  const plain: JsonObject = { ...object, metadata: shown };
  if (object.kind !== 'Secret') return plain;
  const members = ['data', 'stringData'].flatMap((name) =>
    name in plain ? [[name, hidden(plain[name])]] : [],
  );
  return { ...plain, ...Object.fromEntries(members) };
}

function hidden(values: Json | undefined): Json {
  return Object.fromEntries(Object.keys(membersOf(values)).map((name) => [name, mask]));
}

/** Of the pods that a workload runs, or that a Service leads to; undefined for what has none. */
export function selectorOf(object: KubeObject): string | undefined {
  const selector = membersOf(membersOf(object['spec'])['selector']);
  const isPlain = object.kind === 'Service' || object.kind === 'ReplicationController';
  const labels = isPlain ? selector : membersOf(selector['matchLabels']);
  const isWorkload = /^(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|Rollout)$/.test(object.kind);
  if (!isPlain && !isWorkload) return undefined;
  const terms = [
    ...Object.entries(labels).map(([name, value]) => `${name}=${textOf(value)}`),
    ...(isPlain ? [] : objectsOf(selector['matchExpressions']).map(expressionOf)),
  ];
  // None at all would be every pod of the namespace.
  return terms.length === 0 ? undefined : terms.join(',');
}

function expressionOf({ key, operator, values }: JsonObject): string {
  const [name, list] = [textOf(key), itemsOf(values).map(textOf).join(',')];
  switch (textOf(operator)) {
    case 'Exists':
      return name;
    case 'DoesNotExist':
      return `!${name}`;
    case 'NotIn':
      return `${name} notin (${list})`;
    default:
      return `${name} in (${list})`;
  }
}

export function isOwnedBy({ metadata }: KubeObject, uid: string): boolean {
  return objectsOf(metadata['ownerReferences']).some((owner) => owner['uid'] === uid);
}

/** A pod as the server tells of it. */
export function podOf(object: LiveObject): Pod {
  const [spec, status] = [membersOf(object['spec']), membersOf(object['status'])];
  const inits = containersOf(spec['initContainers'], status['initContainerStatuses'], true);
  const own = containersOf(spec['containers'], status['containerStatuses'], false);
  const statuses = objectsOf(status['containerStatuses']);
  const restarts = statuses.map(({ restartCount }) => (typeof restartCount === 'number' ? restartCount : 0));
  const [startedAt, node] = [textOf(status['startTime']), textOf(spec['nodeName'])];
  const isGoing = object.metadata['deletionTimestamp'] !== undefined;
  return {
    name: object.metadata.name,
    phase: isGoing ? 'Terminating' : textOf(status['phase']) || 'Unknown',
    ready: `${own.filter(({ ready }) => ready).length}/${own.length}`,
    restarts: restarts.reduce((sum, count) => sum + count, 0),
    ...(startedAt !== '' && { startedAt }),
    ...(node !== '' && { node }),
    containers: [...own, ...inits],
  };
}

function containersOf(declared: Json | undefined, told: Json | undefined, init: boolean): Container[] {
  const statuses = new Map(objectsOf(told).map((status) => [textOf(status['name']), status]));
  return objectsOf(declared).map(({ name, image }) => {
    const status = statuses.get(textOf(name));
    const ready = status?.['ready'] === true;
    return { name: textOf(name), image: textOf(image), ready, state: stateOf(status), init };
  });
}

/** `Running`, or why not. */
function stateOf(status: JsonObject | undefined): string {
  const state = membersOf(status?.['state']);
  if (isJsonObject(state['running'])) return 'Running';
  const { reason, exitCode } = membersOf(state['terminated'] ?? state['waiting']);
  if (textOf(reason) !== '') return textOf(reason);
  return typeof exitCode === 'number' ? `exit code ${exitCode}` : 'Waiting';
}

/** Undefined for what is no event. */
export function eventOf(event: Json): KubeEvent | undefined {
  const { metadata, involvedObject, type, reason, message, count, series, lastTimestamp, eventTime } =
    membersOf(event);
  const about = membersOf(involvedObject);
  const ofSeries = membersOf(series);
  const times = [
    ofSeries['lastObservedTime'],
    lastTimestamp,
    eventTime,
    membersOf(metadata)['creationTimestamp'],
  ];
  const at = times.map(textOf).find((time) => time !== '');
  if (at === undefined) return undefined;
  const counted = ofSeries['count'] ?? count;
  return {
    at,
    type: type === 'Warning' ? 'Warning' : 'Normal',
    about: `${textOf(about['kind'])}/${textOf(about['name'])}`,
    reason: textOf(reason),
    message: textOf(message),
    count: typeof counted === 'number' ? counted : 1,
  };
}
