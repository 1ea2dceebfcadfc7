import { alarmKinds, alarmName } from '../contract/alarms.ts';

/** These say of the fleet what is told of each application with more words. */
const toldOtherwise = [
  alarmKinds.drift,
  alarmKinds.healLoop,
  alarmKinds.degraded,
  alarmKinds.failedSnapshots,
  alarmKinds.failedRuns,
];

/** Whether an alarm tells anything that nothing else does. Alarms that are not ours all do. */
export function isAlarmTold(alarm: string, fleet: string): boolean {
  return !toldOtherwise.some((kind) => alarm === alarmName(fleet, kind));
}
