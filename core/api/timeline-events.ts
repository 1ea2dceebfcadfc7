import { describeDelivery } from '../delivery-history.ts';
import type { Delivery } from '../model/delivery.ts';
import type { DriftRecord } from '../model/drift.ts';
import type { HealthStatus } from '../model/health.ts';
import type { NoticeMemory } from '../model/notice-memory.ts';
import { describeRef } from '../model/object.ts';
import type { RunRecord } from '../model/run.ts';
import { isInScope, type Suspensions } from '../model/suspension.ts';
import { targetKey, type Target } from '../model/target.ts';
import { millisecondsOf } from '../model/time.ts';
import type { TargetView } from '../view/target-view.ts';
import type { TimelineEvent } from './contract.ts';
import { askerOf } from './records.ts';

/** What records say, each as an event on one axis; pure. */

const runStates = {
  applied: 'good',
  failed: 'bad',
  blocked: 'bad',
  cancelled: 'neutral',
  waiting: 'running',
} as const;

export function eventOfRun(run: RunRecord): TimelineEvent {
  const { target, outcome, startedAt, commit, reason, requestedBy, rollback, health } = run;
  const kind = rollback !== undefined ? 'rollback' : reason === 'heal' ? 'heal' : 'run';
  const found = health === undefined ? '' : `, ${health.status}`;
  const told = outcome === undefined || outcome.message === '' ? '' : `: ${outcome.message}`;
  return {
    at: startedAt,
    ...(outcome !== undefined && { until: outcome.at }),
    kind,
    state: outcome === undefined ? 'running' : runStates[outcome.kind],
    ...target,
    title: `${reason}: ${outcome?.kind ?? 'running'}${found}`,
    detail: `${commit.sha.slice(0, 7)} ${commit.subject}, asked for by ${askerOf(requestedBy)}${told}`,
    link: linkTo(target),
  };
}

export function eventOfDrift(record: DriftRecord): TimelineEvent {
  const { target, drift, state, openedAt, happenedAt, closedAt, who } = record;
  const managers = [...new Set(drift.fields.flatMap(({ manager }) => manager ?? []))].join(', ');
  const by = who?.user ?? managers;
  const paths = drift.fields.map(({ path }) => path).slice(0, 3);
  const what = drift.kind === 'fields' ? paths.join(', ') : drift.kind;
  return {
    at: happenedAt ?? openedAt,
    ...(closedAt !== undefined && { until: closedAt }),
    kind: 'drift',
    state: state === 'open' ? 'bad' : 'neutral',
    ...target,
    title: `drift of ${describeRef(drift.ref)}: ${state}`,
    detail: `${what}${by === '' ? '' : `, by ${by}`}`,
    link: linkTo(target),
  };
}

/** What a Git host or registry told; of what nobody follows too. `now`: milliseconds since the epoch. */
export function eventOfDelivery(delivery: Delivery, now: number): TimelineEvent {
  const { receivedAt, provider, event, outcome, pushes = [], images = [] } = delivery;
  const about = describeDelivery(delivery);
  const ofKind = pushes.length > 0 ? 'push' : images.length > 0 ? 'image' : 'delivery';
  return {
    at: receivedAt,
    kind: ofKind,
    state: deliveryState(delivery, now),
    title: `${provider}: ${event}${about === '' ? '' : ` of ${about}`}`,
    detail: outcome ?? '',
  };
}

function deliveryState({ state, failed, claimExpiresAt }: Delivery, now: number): TimelineEvent['state'] {
  if (state === 'published') return failed === true ? 'bad' : 'good';
  if (state === 'ignored') return 'neutral';
  // Whoever took it has failed, or died of it: nothing goes on until it is delivered again.
  return millisecondsOf(claimExpiresAt) > now ? 'running' : 'bad';
}

const healthStates: Readonly<Record<HealthStatus, TimelineEvent['state']>> = {
  Healthy: 'good',
  Progressing: 'running',
  Degraded: 'bad',
  Suspended: 'neutral',
  Missing: 'bad',
  Unknown: 'neutral',
};

/** Each change of health that sweeps saw, until the next one. */
export function healthEvents({ target, check }: TargetView): readonly TimelineEvent[] {
  const changes = check?.targets[target.application]?.healthChanges ?? [];
  return changes.map(({ at, from, to, message }, index): TimelineEvent => {
    const until = changes[index + 1]?.at;
    return {
      at,
      ...(until !== undefined && { until }),
      kind: 'health',
      state: healthStates[to],
      ...target,
      title: `${from} → ${to}`,
      detail: message,
      link: linkTo(target),
    };
  });
}

/** A rollback that holds. */
export function pinEvents({ target, pointer: { pin, commit } }: TargetView): readonly TimelineEvent[] {
  if (pin === undefined) return [];
  const title = `rolled back to ${commit.sha.slice(0, 7)} and held there by ${pin.by}`;
  const event = { kind: 'hold', state: 'neutral', title, detail: pin.reason } as const;
  return [
    {
      at: pin.at,
      ...(pin.until !== undefined && { until: pin.until }),
      ...event,
      ...target,
      link: linkTo(target),
    },
  ];
}

/** Suspensions that hold or held for some of these targets, each once; and what was stopped on them. */
export function suspensionEvents(
  suspensions: Suspensions | undefined,
  targets: readonly Target[],
): readonly TimelineEvent[] {
  const { active = [], ended = [], cancelled = [] } = suspensions ?? {};
  const all = [
    ...active.map((one) => ({ ...one, end: one.until, how: '' })),
    ...ended.map((one) => ({
      ...one,
      end: one.endedAt,
      how: one.endedBy === undefined ? '; its time was over' : `; resumed by ${one.endedBy}`,
    })),
  ];
  const stopped = cancelled
    .filter(({ target }) => targets.some((one) => isInScope(target, one)))
    .map(({ target, by, at }): TimelineEvent => {
      const title = `stopped by ${by}`;
      return { at, kind: 'hold', state: 'neutral', ...target, title, detail: '', link: linkTo(target) };
    });
  const held = all
    .filter((one) => targets.some((target) => isInScope(one, target)))
    .map(({ at, end, by, reason, how, application, cluster }): TimelineEvent => ({
      at,
      ...(end !== undefined && { until: end }),
      kind: 'hold',
      state: 'neutral',
      ...(cluster !== undefined && { cluster }),
      ...(application !== undefined && { application }),
      title: `suspended by ${by}`,
      detail: `${reason}${how}`,
    }));
  return [...held, ...stopped];
}

/** What channels were told of these targets; of none where it was about others as well. */
export function noticeEvents(
  memory: NoticeMemory | undefined,
  targets: ReadonlySet<string>,
): readonly TimelineEvent[] {
  return Object.values(memory?.incidents ?? {}).flatMap(({ channel, toldAt, title, members }) => {
    const about = members.flatMap((key) => {
      const subject = memory?.problems[key]?.subject;
      return subject?.kind === 'target' ? [subject.target] : [];
    });
    const isOfThese = about.length === members.length && about.every((one) => targets.has(targetKey(one)));
    const [first] = about;
    if (!isOfThese || first === undefined) return [];
    const event = {
      at: toldAt,
      kind: 'notice',
      state: 'neutral',
      title,
      detail: `told to ${channel}`,
    } as const;
    return [about.length === 1 ? { ...event, ...first, link: linkTo(first) } : event];
  });
}

function linkTo({ cluster, application }: Target): string {
  return `/targets/${encodeURIComponent(cluster)}/${encodeURIComponent(application)}`;
}
