import type { Json } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import {
  conditionOf,
  healthy,
  isWithin,
  listAt,
  numberAt,
  progressing,
  textAt,
  valueAt,
  verdict,
  verdictOf,
  type Verdict,
} from './verdict.ts';

/** Waiting for one of these does not end by itself. */
const hopelessWait = /^Err|Error$|BackOff$|^ErrImageNeverPull$|^InvalidImageName$/;

/** Seconds in which a new node may still come for a pod that fits on none. */
const schedulingSeconds = 300;

export function podHealth(object: KubeObject, now: number): Verdict {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Succeeded') return healthy;
  if (phase === 'Failed') return failedPod(object);
  const containers = containersOf(object);
  const waiting = containers
    .map((container) => valueAt(container, 'state', 'waiting'))
    .find((state) => hopelessWait.test(textAt(state, 'reason')));
  // What has an end is judged when it has ended: whoever waits for it must neither go on nor give up before.
  const runsOn = ['', 'Always'].includes(textAt(object, 'spec', 'restartPolicy'));
  const stuck = runsOn ? 'Degraded' : 'Progressing';
  if (waiting !== undefined) return verdict(stuck, textAt(waiting, 'reason'), textAt(waiting, 'message'));
  const ready = conditionOf(object, 'Ready');
  if (ready?.status === 'True') return runsOn ? healthy : progressing('Running', 'has not ended yet');
  const scheduled = conditionOf(object, 'PodScheduled');
  if (scheduled?.status === 'False') {
    const since = scheduled.since || textAt(object, 'metadata', 'creationTimestamp');
    const isNew = scheduled.reason !== 'Unschedulable' || isWithin(schedulingSeconds, since, now);
    return verdictOf(isNew ? 'Progressing' : stuck, scheduled);
  }
  const crashed = containers.map((container) => endOf(container, 'lastState')).find(Boolean);
  if (phase === 'Running' && runsOn && crashed !== undefined) return crashed;
  return progressing(phase === '' ? 'Pending' : phase, ready?.message ?? '');
}

function failedPod(object: KubeObject): Verdict {
  const reason = textAt(object, 'status', 'reason') || 'Failed';
  const message = textAt(object, 'status', 'message');
  const ended = containersOf(object)
    .map((container) => endOf(container, 'state'))
    .find(Boolean);
  return message === '' && ended !== undefined ? ended : verdict('Degraded', reason, message);
}

function containersOf(object: KubeObject): readonly Json[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listAt(object, 'status', list));
}

/** How a container ended, when it did not end well. */
function endOf(container: Json, state: 'state' | 'lastState'): Verdict | undefined {
  const end = valueAt(container, state, 'terminated');
  const code = numberAt(end, 'exitCode');
  if (end === undefined || code === 0) return undefined;
  const name = textAt(container, 'name');
  const said = textAt(end, 'message');
  const message = `container ${name} ended with exit code ${code}${said === '' ? '' : `: ${said}`}`;
  return verdict('Degraded', textAt(end, 'reason') || 'Error', message);
}
