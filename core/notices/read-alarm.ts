import { alarmKinds, alarmName } from '../contract/alarms.ts';
import type { News } from '../model/notice.ts';
import type { AlarmSaid } from '../model/notice-memory.ts';
import { dashboardLink, type Place } from '../notify/links.ts';
import { nothing, type Reading } from '../notify/reading.ts';
import { scrub } from '../model/scrub.ts';

/** Whether an alarm rings, by what it said last. */
export function readAlarm(alarm: string, said: AlarmSaid | undefined, place: Place): Reading {
  if (said?.state !== 'ALARM') return nothing;
  const prefix = alarmName(place.fleet, alarmKinds.drift).slice(0, -alarmKinds.drift.length);
  const name = alarm.startsWith(prefix) ? alarm.slice(prefix.length) : alarm;
  const news: News = {
    event: 'alarm',
    severity: 'error',
    scope: { applications: [], clusters: [], projects: [] },
    subject: name,
    headline: `Alarm ${name}`,
    text: scrub(said.text),
    todo: `trueup doctor --stack trueup-${place.fleet} looks the installation over`,
    causes: [`alarm ${name}`],
    links: [dashboardLink(place)],
  };
  return { ...nothing, found: [news] };
}
