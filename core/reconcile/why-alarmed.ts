import { faultsOf, messageOf } from '../errors.ts';
import { isoTime } from '../model/time.ts';
import type { Alarms } from '../ports.ts';
import type { StageHeld } from './rollout-gate.ts';

interface Asking {
  /** Absent: whoever asks has no right to read alarms. */
  readonly alarms: Alarms | undefined;
  readonly now: number;
  /** How long each must have been OK. */
  readonly soakMs: number;
}

const lookAgainMs = 60_000;

/** Which of these alarms is in the way, and how; undefined where all are OK for long enough. What cannot be asked is in the way. */
export async function whyAlarmed(
  names: readonly string[],
  { alarms, now, soakMs }: Asking,
): Promise<StageHeld | undefined> {
  if (names.length === 0) return undefined;
  const lookAt = now + lookAgainMs;
  try {
    const readings = await alarms?.read(names);
    if (readings === undefined) return { why: 'nobody can be asked about its alarms' };
    for (const name of names) {
      const reading = readings.get(name);
      if (reading === undefined) return { why: `there is no alarm ${name}`, lookAt };
      if (reading.state !== 'OK') return { why: `stopped by the alarm ${name}: ${reading.state}`, lookAt };
      const until = (reading.since ?? 0) + soakMs;
      if (now < until) return { why: `the alarm ${name} soaks until ${isoTime(until)}`, lookAt: until };
    }
    return undefined;
  } catch (error) {
    if (faultsOf(error) === undefined) throw error;
    return { why: `its alarms cannot be asked for: ${messageOf(error)}`, lookAt };
  }
}
