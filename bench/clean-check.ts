import { alternate, type Entry, type Result } from './alternate.ts';
import type { Measure } from './peer.ts';
import { duration, megabytes, ratio, table } from './report.ts';
import type { Bench, EngineName, Traffic, Workload } from './world.ts';

/** What each engine is called in the tables, and what it is asked. */
const engines: Readonly<Record<string, readonly [EngineName, string]>> = {
  'trueup, fast check': ['trueup', 'check'],
  'trueup, full check': ['trueup', 'full'],
  'bare metadata lists': ['floor', 'check'],
  'Flux, limits raised': ['flux', 'check'],
  'Flux, its defaults': ['flux-defaults', 'check'],
  'kubectl diff --server-side': ['kubectl', 'check'],
  'Argo CD, cache filled': ['argocd', 'check'],
};
/** Those that take minutes. */
const slow = new Map([
  ['Flux, its defaults', 1],
  ['Flux, limits raised', 3],
  ['kubectl diff --server-side', 3],
]);
const ours = 'trueup, fast check';

/** 1: all that is applied is as it should be. Objects are those of the same workload for every engine. */
export async function cleanCheck(
  bench: Bench,
  sizes: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const size of sizes) {
    const workload = await bench.workload(size);
    bench.progress(`clean check of ${workload.objects} objects`);
    await applyWith(bench, workload, 'trueup', ['push', 'apply']);
    await applyWith(bench, workload, 'flux', ['apply']);
    const first = await measure(bench, workload, rounds, ({ engine }) => engine !== 'argocd');
    // Last, since it leaves annotations that `kubectl diff` then finds.
    const [{ seconds, cached = 0 } = nothing] = await applyWith(bench, workload, 'argocd', [
      'start',
      'apply',
    ]);
    const second = await measure(bench, workload, rounds, ({ engine }) => engine === 'argocd');
    const results = new Map([...first, ...second]);
    const filling = `Argo CD's cache: ${cached} objects of the cluster, filled in ${duration(seconds)} at every start; its check asks the cache alone.`;
    texts.push(`### ${workload.objects} objects`, await tableOf(bench, workload, results), filling);
    await bench.discard(workload);
  }
  return texts;
}

const nothing: Pick<Measure, 'seconds' | 'cached'> = { seconds: 0 };

/** In a process that ends with it, so that memory is not counted twice. */
async function applyWith(
  bench: Bench,
  workload: Workload,
  engine: EngineName,
  commands: readonly string[],
): Promise<Measure[]> {
  await using peer = await bench.start(engine, workload);
  const measures: Measure[] = [];
  for (const command of commands) measures.push(await peer.ask(command));
  return measures;
}

async function measure(
  bench: Bench,
  workload: Workload,
  rounds: number,
  isMeant: (which: { readonly engine: EngineName }) => boolean,
): Promise<ReadonlyMap<string, Result>> {
  await using stack = new AsyncDisposableStack();
  const entries: Entry[] = [];
  for (const [name, [engine, command]] of Object.entries(engines)) {
    if (!isMeant({ engine })) continue;
    const peer = stack.use(await bench.start(engine, workload));
    if (engine === 'argocd') await peer.ask('start');
    entries.push({ name, peer, command, rounds: Math.min(rounds, slow.get(name) ?? rounds) });
  }
  return await alternate(entries, rounds, bench.progress);
}

async function tableOf(
  bench: Bench,
  workload: Workload,
  results: ReadonlyMap<string, Result>,
): Promise<string> {
  const own = results.get(ours);
  const rows: string[][] = [];
  for (const [name, result] of results) {
    const [engine, command] = engines[name] ?? ['floor', 'check'];
    const traffic = await trafficOf(bench, workload, engine, command);
    rows.push([
      name,
      duration(result.seconds),
      `${duration(result.range[0])} to ${duration(result.range[1])} (${result.rounds})`,
      own === undefined || name === ours ? '' : ratio(own.seconds, result.seconds),
      String(traffic.requests),
      megabytes(traffic.bytes),
      duration(result.cpuSeconds),
      engine === 'kubectl' ? '' : megabytes(result.maxRssBytes),
    ]);
  }
  const head = ['engine', 'time', 'range (rounds)', 'ours is', 'requests', 'bytes', 'CPU', 'peak memory'];
  return table(head, rows);
}

async function trafficOf(
  bench: Bench,
  workload: Workload,
  engine: EngineName,
  command: string,
): Promise<Traffic> {
  // What a cache costs is in its watch, and told apart.
  const before = engine === 'argocd' ? ['start'] : [];
  return bench.traffic(engine, workload, command, before);
}
