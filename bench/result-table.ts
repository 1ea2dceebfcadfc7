import type { Result } from './alternate.ts';
import { duration, megabytes, ratio, table } from './report.ts';
import type { Traffic } from './world.ts';

/** Engines side by side, each beside the one called `own`; with what they put on the wire where that was counted. */
export function resultTable(
  results: ReadonlyMap<string, Result>,
  own: string,
  traffic?: ReadonlyMap<string, Traffic>,
): string {
  const ours = results.get(own)?.seconds ?? Number.NaN;
  const rows = [...results].map(([name, { seconds, range, rounds, cpuSeconds, maxRssBytes }]) => {
    const wire = traffic?.get(name);
    return [
      name,
      duration(seconds),
      `${duration(range[0])} to ${duration(range[1])} (${rounds})`,
      name === own ? '' : ratio(ours, seconds),
      ...(traffic === undefined ? [] : [String(wire?.requests ?? ''), megabytes(wire?.bytes ?? Number.NaN)]),
      duration(cpuSeconds),
      megabytes(maxRssBytes),
    ];
  });
  const counted = traffic === undefined ? [] : ['requests', 'bytes'];
  return table(['engine', 'time', 'range (rounds)', 'ours is', ...counted, 'CPU', 'peak memory'], rows);
}
