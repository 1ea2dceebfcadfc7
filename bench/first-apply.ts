import { summary, type Result } from './alternate.ts';
import type { Measure } from './peer.ts';
import { duration, megabytes, ratio, table } from './report.ts';
import type { Bench, EngineName } from './world.ts';

const engines = {
  trueup: 'trueup',
  'Flux, limits raised': 'flux',
  'Argo CD, cache filled': 'argocd',
} as const satisfies Record<string, EngineName>;

/** 2: nothing is there yet. A namespace of its own for each engine and round. */
export async function firstApply(
  bench: Bench,
  sizes: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const size of sizes) {
    const measures = new Map<string, Measure[]>(Object.keys(engines).map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, engine] of Object.entries(engines)) {
        const measure = await applyOnce(bench, engine, size);
        bench.progress(`first apply of ${4 * size + 1} objects, ${name}: ${measure.seconds.toFixed(2)} s`);
        measures.get(name)?.push(measure);
      }
    }
    const results = new Map([...measures].map(([name, all]) => [name, summary(all)]));
    texts.push(`### ${4 * size + 1} objects`, tableOf(results));
  }
  return texts;
}

async function applyOnce(bench: Bench, engine: EngineName, size: number): Promise<Measure> {
  const workload = await bench.workload(size);
  await using peer = await bench.start(engine, workload);
  if (engine === 'trueup') await peer.ask('push');
  if (engine === 'argocd') await peer.ask('start');
  const measure = await peer.ask('apply');
  await bench.discard(workload);
  return measure;
}

function tableOf(results: ReadonlyMap<string, Result>): string {
  const own = results.get('trueup')?.seconds ?? Number.NaN;
  const rows = [...results].map(([name, { seconds, range, rounds, cpuSeconds, maxRssBytes }]) => [
    name,
    duration(seconds),
    `${duration(range[0])} to ${duration(range[1])} (${rounds})`,
    name === 'trueup' ? '' : ratio(own, seconds),
    duration(cpuSeconds),
    megabytes(maxRssBytes),
  ]);
  return table(['engine', 'time', 'range (rounds)', 'ours is', 'CPU', 'peak memory'], rows);
}
