import { alternate, type Entry, type Result } from './alternate.ts';
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
    const filling = await applyWithAll(bench, workload);
    const results = await measure(bench, workload, rounds);
    texts.push(`### ${workload.objects} objects`, await tableOf(bench, workload, results), filling);
    await bench.discard(workload);
  }
  return texts;
}

/** Each engine applies once, so that each finds its own marks; gives what Argo CD's cache took. */
async function applyWithAll(bench: Bench, workload: Workload): Promise<string> {
  await using trueup = await bench.start('trueup', workload);
  for (const command of ['push', 'apply']) await trueup.ask(command);
  await using flux = await bench.start('flux', workload);
  await flux.ask('apply');
  await using argocd = await bench.start('argocd', workload);
  const { seconds, cached, maxRssBytes } = await argocd.ask('start');
  await argocd.ask('apply');
  // The marks of the others are theirs to write: our next check finds them, once.
  await trueup.ask('check');
  return `Argo CD's cache: ${cached ?? 0} objects of the cluster, filled in ${duration(seconds)} at every start, ${megabytes(maxRssBytes)}.`;
}

async function measure(
  bench: Bench,
  workload: Workload,
  rounds: number,
): Promise<ReadonlyMap<string, Result>> {
  await using stack = new AsyncDisposableStack();
  const entries: Entry[] = [];
  for (const [name, [engine, command]] of Object.entries(engines)) {
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
