import { summary } from './alternate.ts';
import type { Measure } from './peer.ts';
import { resultTable } from './result-table.ts';
import type { Bench, EngineName, Traffic } from './world.ts';

const engines = {
  trueup: 'trueup',
  'bare applies': 'floor',
  'Flux, limits raised': 'flux',
  'Flux, limits raised, 4 at once': 'flux-4',
  'Argo CD, cache filled': 'argocd',
} as const satisfies Record<string, EngineName>;

/** Not measured: what is wanted is read, and a watch cache filled. */
const preparation = { trueup: ['push'], floor: [], flux: [], 'flux-4': [], argocd: ['start'] } as const;

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
    // Once: the requests for an object do not depend on how many there are.
    const traffic = size === sizes[0] ? await allTraffic(bench, size) : undefined;
    texts.push(`### ${4 * size + 1} objects`, resultTable(results, 'trueup', traffic));
  }
  return texts;
}

async function allTraffic(bench: Bench, size: number): Promise<ReadonlyMap<string, Traffic>> {
  const traffic = new Map<string, Traffic>();
  for (const [name, engine] of Object.entries(engines))
    traffic.set(name, await trafficOf(bench, engine, size));
  return traffic;
}

async function applyOnce(bench: Bench, engine: keyof typeof preparation, size: number): Promise<Measure> {
  const workload = await bench.workload(size);
  await using peer = await bench.start(engine, workload);
  for (const command of preparation[engine]) await peer.ask(command);
  const measure = await peer.ask('apply');
  await bench.discard(workload);
  return measure;
}

async function trafficOf(bench: Bench, engine: keyof typeof preparation, size: number): Promise<Traffic> {
  const workload = await bench.workload(size);
  const traffic = await bench.traffic(engine, workload, 'apply', preparation[engine]);
  await bench.discard(workload);
  return traffic;
}
