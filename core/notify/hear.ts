import { canaryApplication } from '../contract/canary.ts';
import { alarmNoticeSchema, type NoticedEvent, type NoticeMessage } from '../contract/notice-messages.ts';
import type { Notifications } from '../contract/notifications.ts';
import {
  subjectKey,
  type AlarmSaid,
  type Hint,
  type NoticeMemory,
  type NoticeSubject,
} from '../model/notice-memory.ts';
import type { NoticeEvent } from '../model/notice.ts';
import type { Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import { problemKey } from './problems.ts';

import { isWanted } from './routed.ts';
import { isAlarmTold } from './told-alarms.ts';

interface HearDeps {
  readonly notifications: Notifications;
  readonly fleet: string;
  readonly now: number;
}

type Heard = Pick<Hint, 'subject' | 'healed' | 'rolledBack'>;

/** The memory with what messages make worth a look; the very same where nothing of them is. */
export function hear(memory: NoticeMemory, messages: readonly NoticeMessage[], deps: HearDeps): NoticeMemory {
  let next = memory;
  for (const message of messages) {
    if (message.heard === 'topic') next = hearAlarm(next, message.text, deps);
    else if (message.heard === 'event') {
      const heard = hearEvent(next, message.event, deps);
      if (heard !== undefined) next = withHint(next, heard, deps.now);
    }
  }
  return next;
}

function hearEvent(
  memory: NoticeMemory,
  event: NoticedEvent,
  { notifications }: HearDeps,
): Heard | undefined {
  const isTold = (subject: NoticeSubject, ...events: NoticeEvent[]): boolean =>
    events.some((one) => {
      const problem = memory.problems[problemKey(one, subject)];
      return problem !== undefined && problem.closed !== true;
    });
  switch (event['detail-type']) {
    case 'SnapshotFailed':
      return { subject: ofRepository(event.detail.repository) };
    case 'CommitExamined': {
      const subject = ofRepository(event.detail.repository);
      return event.detail.failing || isTold(subject, 'snapshot-failed') ? { subject } : undefined;
    }
    case 'ReconcileFinished': {
      const { target, outcome, health } = event.detail;
      const subject = ofTarget(target);
      const isWell = outcome === 'applied' && health !== 'Degraded' && health !== 'Missing';
      const isNews = health === 'Healthy' && isWanted('deployed', notifications);
      const isQuiet = outcome === 'waiting' || outcome === 'cancelled' || isWell;
      if (isQuiet && !isNews && !isTold(subject, 'run-failed', 'degraded', 'drift', 'heal-loop'))
        return undefined;
      return unlessCanary(target, { subject });
    }
    case 'HealthChanged': {
      const { target, to } = event.detail;
      const subject = ofTarget(target);
      const isBad = to === 'Degraded' || to === 'Missing';
      return isBad || isTold(subject, 'degraded') ? unlessCanary(target, { subject }) : undefined;
    }
    case 'DriftDetected':
      return unlessCanary(event.detail.target, { subject: ofTarget(event.detail.target) });
    case 'DriftHealed': {
      const { target, record, state } = event.detail;
      const subject = ofTarget(target);
      const isTelling = isTold(subject, 'drift', 'heal-loop');
      if (isTelling) return { subject };
      const isNews = state === 'healed' && isWanted('healed', notifications);
      return isNews ? unlessCanary(target, { subject, healed: [record] }) : undefined;
    }
    case 'RolledBack':
      break;
  }
  const { target, by, reason, automatic, from, to } = event.detail;
  const rolledBack = { by, reason, automatic, from: from.commit.sha, to: to.commit.sha };
  return { subject: ofTarget(target), rolledBack };
}

function ofTarget({ cluster, application }: Target): NoticeSubject {
  return { kind: 'target', target: { cluster, application } };
}

function ofRepository(repository: string): NoticeSubject {
  return { kind: 'repository', repository };
}

/** The canary is changed on purpose; it has an alarm of its own. */
function unlessCanary({ application }: Target, heard: Heard): Heard | undefined {
  return application === canaryApplication ? undefined : heard;
}

function withHint(memory: NoticeMemory, { subject, healed, rolledBack }: Heard, now: number): NoticeMemory {
  const key = subjectKey(subject);
  const at = isoTime(now);
  const before = memory.hints[key];
  const records = [...new Set([...(before?.healed ?? []), ...(healed ?? [])])];
  const wentBack = rolledBack ?? before?.rolledBack;
  const hint: Hint = {
    subject,
    since: before?.since ?? at,
    last: at,
    ...(records.length > 0 && { healed: records }),
    ...(wentBack !== undefined && { rolledBack: wentBack }),
  };
  return { ...memory, hints: { ...memory.hints, [key]: hint } };
}

/** What CloudWatch said, unless something newer is known; texts that are not of CloudWatch are not for us. */
function hearAlarm(memory: NoticeMemory, text: string, { fleet, now }: HearDeps): NoticeMemory {
  const parsed = alarmNoticeSchema.safeParse(jsonOf(text));
  if (!parsed.success || !isAlarmTold(parsed.data.AlarmName, fleet)) return memory;
  const {
    AlarmName: alarm,
    NewStateValue: state,
    NewStateReason,
    AlarmDescription,
    StateChangeTime: at,
  } = parsed.data;
  // Nobody knows: it rings on, or stays quiet.
  if (state === 'INSUFFICIENT_DATA' || (memory.alarms[alarm]?.at ?? '') > at) return memory;
  const description = AlarmDescription ?? '';
  const said: AlarmSaid = { state, at, heardAt: isoTime(now), text: description || NewStateReason };
  const known = { ...memory, alarms: { ...memory.alarms, [alarm]: said } };
  return withHint(known, { subject: { kind: 'alarm', alarm } }, now);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
