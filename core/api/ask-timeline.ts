import { keys, prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { noticeMemorySchema } from '../model/notice-memory.ts';
import { targetKey } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { TargetView } from '../view/target-view.ts';
import { fleetInput } from './ask-fleet.ts';
import type { Timeline, TimelineEvent } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { deliveriesOf } from './own-deliveries.ts';
import { maySee, projectOf, type Person } from './person.ts';
import { driftsAt, ownBy, runsAt } from './own-records.ts';
import { recordsOf } from './span-records.ts';
import {
  eventOfDelivery,
  eventOfDrift,
  eventOfRun,
  healthEvents,
  noticeEvents,
  pinEvents,
  suspensionEvents,
} from './timeline-events.ts';

interface Span {
  readonly cluster?: string;
  readonly application?: string;
  readonly from?: string;
  readonly to?: string;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const mostDays = 31;

/**
 * What happened, on one axis: deliveries, runs, drift, changes of health, holds, notices; of what whoever asks may see. The
 * last day where no time is given.
 */
export async function timelineOf(span: Span, person: Person, deps: ApiDeps): Promise<Timeline> {
  // To the end of the minute: asked again within it, nothing new gives the same answer, which has the same ETag.
  const now = Math.ceil(deps.clock.now() / minuteMs) * minuteMs;
  const to = span.to === undefined ? now : millisecondsOf(span.to);
  const asked = span.from === undefined ? to - dayMs : millisecondsOf(span.from);
  const from = Math.max(asked, to - mostDays * dayMs);
  const { views, suspensions } = await fleetInput(deps);
  const seen = views.filter(
    (view) => isIn(view, span) && maySee(person, projectOf(view.pointer, deps.config.repositories)),
  );
  const targets = seen.map(({ target }) => target);
  const isNarrowed = span.cluster !== undefined || span.application !== undefined;
  const [runKeys, driftKeys, deliveries, notices] = await Promise.all([
    recordsOf(deps.store, prefixes.runs, { from, to, targets }),
    recordsOf(deps.store, prefixes.drift, { from, to, targets }),
    deliveriesOf(seen, { from, to, person, isNarrowed }, deps),
    readDocument(deps.store, keys.notices, noticeMemorySchema),
  ]);
  const [runs, drifts] = await Promise.all([
    runsAt(deps.store, runKeys.keys),
    driftsAt(deps.store, driftKeys.keys),
  ]);
  const isOwn = ownBy(seen, person);
  const events: TimelineEvent[] = [
    ...runs.filter(isOwn.run).map(eventOfRun),
    ...drifts.filter(isOwn.drift).map(eventOfDrift),
    ...deliveries.told.map((delivery) => eventOfDelivery(delivery, deps.clock.now())),
    ...seen.flatMap(healthEvents),
    ...seen.flatMap(pinEvents),
    ...suspensionEvents(suspensions, targets),
    ...noticeEvents(notices?.value, new Set(targets.map(targetKey))),
  ];
  const [start, end] = [isoTime(from), isoTime(to)];
  return {
    events: events
      .filter(({ at, until }) => at <= end && (until ?? at) >= start)
      .sort((a, b) => (a.at < b.at ? 1 : -1)),
    from: start,
    to: end,
    cut: deliveries.cut || [runKeys, driftKeys].some((one) => one.all.length > one.keys.length),
  };
}

function isIn({ target }: TargetView, { cluster, application }: Span): boolean {
  return (
    (cluster === undefined || target.cluster === cluster) &&
    (application === undefined || target.application === application)
  );
}
