import { alternate, quickBeats, type Entry, type Result } from './alternate.ts';
import type { Measure } from './peer.ts';
import { duration, megabytes, ratio, table } from './report.ts';
import type { Bench, EngineName, Traffic, Workload } from './world.ts';

/** What each engine is called in the tables, and what it is asked. */
const engines: Readonly<Record<string, readonly [EngineName, string]>> = {
  'trueup, fast check': ['trueup', 'check'],
  'trueup, full check': ['trueup', 'full'],
  'bare metadata lists': ['floor', 'check'],
  'bare dry runs': ['floor', 'full'],
  'Flux, limits raised': ['flux', 'check'],
  'Flux, limits raised, 4 at once': ['flux-4', 'check'],
  'Flux, its defaults': ['flux-defaults', 'check'],
  'kubectl diff --server-side': ['kubectl', 'check'],
  'Argo CD, cache filled': ['argocd', 'check'],
};
/** Those that take minutes. */
const slow = new Map([
  ['Flux, its defaults', 1],
  ['Flux, limits raised', 3],
  ['Flux, limits raised, 4 at once', 3],
  ['kubectl diff --server-side', 3],
]);
const ours = 'trueup, fast check';
/** Those that take milliseconds. */
const quick = new Set([ours, 'bare metadata lists']);

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
    const first = await measure(bench, workload, rounds, (engine) => engine !== 'argocd');
    const traffic = await trafficOf(bench, workload, [...first.keys()]);
    // Last, since it leaves annotations that `kubectl diff` then finds.
    const [{ seconds, cached = 0 } = nothing] = await applyWith(bench, workload, 'argocd', [
      'start',
      'apply',
    ]);
    const second = await measure(bench, workload, rounds, (engine) => engine === 'argocd');
    const counted = new Map([...traffic, ...(await trafficOf(bench, workload, [...second.keys()]))]);
    const filling = `Argo CD's cache: ${cached} objects of the cluster, filled in ${duration(seconds)} at every start; its check asks the cache alone.`;
    texts.push(`### ${workload.objects} objects`, tableOf(new Map([...first, ...second]), counted), filling);
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
  isMeant: (engine: EngineName) => boolean,
): Promise<ReadonlyMap<string, Result>> {
  await using stack = new AsyncDisposableStack();
  const entries: Entry[] = [];
  for (const [name, [engine, command]] of Object.entries(engines)) {
    if (!isMeant(engine)) continue;
    const peer = stack.use(await bench.start(engine, workload));
    if (engine === 'argocd') await peer.ask('start');
    const most = Math.min(rounds, slow.get(name) ?? rounds);
    entries.push({ name, peer, command, rounds: most, beats: quick.has(name) ? quickBeats : 1 });
  }
  return await alternate(entries, rounds, bench.progress);
}

/** Each in a process of its own that has warmed up. What a watch cache costs is in its filling, and told apart. */
async function trafficOf(
  bench: Bench,
  workload: Workload,
  names: readonly string[],
): Promise<ReadonlyMap<string, Traffic>> {
  const counted = new Map<string, Traffic>();
  for (const name of names) {
    const [engine, command] = engines[name] ?? ['floor', 'check'];
    const before = engine === 'argocd' ? ['start'] : engine === 'trueup' ? ['check'] : [];
    counted.set(name, await bench.traffic(engine, workload, command, before));
  }
  return counted;
}

function tableOf(results: ReadonlyMap<string, Result>, traffic: ReadonlyMap<string, Traffic>): string {
  const own = results.get(ours);
  const rows = [...results].map(([name, result]) => [
    name,
    duration(result.seconds),
    `${duration(result.range[0])} to ${duration(result.range[1])} (${result.rounds})`,
    own === undefined || name === ours ? '' : ratio(own.seconds, result.seconds),
    String(traffic.get(name)?.requests ?? ''),
    megabytes(traffic.get(name)?.bytes ?? Number.NaN),
    duration(result.cpuSeconds),
    engines[name]?.[0] === 'kubectl' ? '' : megabytes(result.maxRssBytes),
  ]);
  const head = ['engine', 'time', 'range (rounds)', 'ours is', 'requests', 'bytes', 'CPU', 'peak memory'];
  return table(head, rows);
}
