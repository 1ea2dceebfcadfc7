import type { Finding, Seen } from './finding.ts';
import { judged } from './finding.ts';

/** Seconds of difference from which times in records mislead, and from which AWS refuses what is signed. */
const noticeable = 5;
const refused = 240;

/** Seconds that the clock of this computer is ahead of that of AWS; negative when it is behind. */
export function judgeClock(ahead: Seen<number>): readonly Finding[] {
  return judged('clock', 'the clock', ahead, (seconds) => {
    const off = Math.abs(seconds);
    const what = `this computer's clock is ${off.toFixed(0)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of AWS`;
    const todo =
      'set it by NTP: AWS refuses requests that are 5 minutes off, and ages are shown wrong by as much';
    if (off < noticeable) return [{ area: 'clock', level: 'ok', what }];
    return [{ area: 'clock', level: off < refused ? 'warn' : 'fail', what, todo }];
  });
}
