import type { Measure, Peer } from './peer.ts';
import { median } from './report.ts';

/** Of what takes milliseconds. */
export const quickBeats = 25;

/** An engine that takes part: its process, what is asked of it, and how often at most. */
export interface Entry {
  readonly name: string;
  readonly peer: Peer;
  readonly command: string;
  readonly rounds?: number;
  /** How often it is asked in each round; once unless given. */
  readonly beats?: number;
}

/** What an engine's rounds came to. */
export interface Result {
  readonly seconds: number;
  readonly range: readonly [number, number];
  readonly cpuSeconds: number;
  readonly maxRssBytes: number;
  readonly rounds: number;
  readonly last: Measure;
}

/**
 * Asks the engines in turn, round by round, so that whatever else the machine does meets all of them alike. The first
 * round warms up and is left out where there are more; what takes milliseconds is asked often in each, since Node
 * compiles what is called often, and a function that checks every few minutes lives for hours.
 */
export async function alternate(
  entries: readonly Entry[],
  rounds: number,
  progress: (line: string) => void,
): Promise<ReadonlyMap<string, Result>> {
  const measures = new Map<string, Measure[]>(entries.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, peer, command, rounds: most = rounds, beats = 1 } of entries) {
      if (round >= most) continue;
      const asked: Measure[] = [];
      for (let beat = 0; beat < beats; beat += 1) asked.push(await peer.ask(command));
      measures.get(name)?.push(...asked);
      const seconds = median(asked.map((measure) => measure.seconds));
      const changed = asked.reduce((sum, measure) => sum + (measure.changed ?? 0), 0);
      progress(`  ${name}: ${seconds.toFixed(3)} s, ${changed} changed`);
    }
  }
  const beatsOf = new Map(entries.map(({ name, beats = 1 }) => [name, beats]));
  return new Map([...measures].map(([name, all]) => [name, summary(all, beatsOf.get(name))]));
}

export function summary(all: readonly Measure[], beats = 1): Result {
  const warm = all.length > beats ? all.slice(beats) : all;
  const last = all.at(-1);
  if (last === undefined) throw new Error('nothing was measured');
  const seconds = warm.map((measure) => measure.seconds);
  return {
    seconds: median(seconds),
    range: [Math.min(...seconds), Math.max(...seconds)],
    cpuSeconds: median(warm.map((measure) => measure.cpuSeconds)),
    maxRssBytes: Math.max(...all.map((measure) => measure.maxRssBytes)),
    rounds: warm.length,
    last,
  };
}
