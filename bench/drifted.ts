import { inBatches } from '../core/in-batches.ts';
import { summary } from './alternate.ts';
import { applicationName } from './manifests.ts';
import type { Measure, Peer } from './peer.ts';
import { duration, ratio, table } from './report.ts';
import type { Bench, Workload } from './world.ts';

const writesAtOnce = 16;

/** 4: so many Deployments were changed by hand; found, and healed. One Deployment an application. */
export async function drifted(
  bench: Bench,
  applications: number,
  counts: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  const workload = await bench.workload(applications);
  await using trueup = await bench.start('trueup', workload);
  for (const command of ['push', 'apply', 'check']) await trueup.ask(command);
  await using flux = await bench.start('flux', workload);
  await flux.ask('apply');
  await trueup.ask('check');
  const rows: string[][] = [];
  for (const count of counts) {
    const [found, healed, theirs]: [Measure[], Measure[], Measure[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      await edit(bench, workload, count, `ours-${round}`);
      found.push(expectChanged(await trueup.ask('check'), count));
      healed.push(await trueup.ask('heal'));
      expectChanged(await trueup.ask('check'), 0);
      await edit(bench, workload, count, `theirs-${round}`);
      theirs.push(expectChanged(await flux.ask('apply'), count));
      // Flux wrote what we want, too; this closes what we saw of it.
      await trueup.ask('check');
      bench.progress(`${count} drifted, round ${round + 1}`);
    }
    const times = [found, healed, theirs].map((all) => summary(all).seconds);
    const [finding = Number.NaN, healing = Number.NaN, flux_ = Number.NaN] = times;
    rows.push([
      String(count),
      duration(finding),
      duration(healing),
      duration(flux_),
      ratio(finding + healing, flux_),
    ]);
  }
  const detected = await watchDelay(bench, workload);
  await bench.discard(workload);
  const head = ['drifted', 'trueup finds', 'trueup heals', 'Flux finds and heals, limits raised', 'ours is'];
  return [
    `Of ${workload.objects} objects.`,
    table(head, rows),
    `Argo CD's watch told of an edit after ${duration(detected)}, which costs a cache of the whole cluster in memory; ours is found by the next sweep.`,
  ];
}

function expectChanged(measure: Measure, count: number): Measure {
  if (measure.changed === count) return measure;
  throw new Error(`${count} objects were changed, and ${measure.changed} found`);
}

/** Another image, by another manager; numbers spread over all applications. */
async function edit(
  bench: Bench,
  { namespace, applications }: Workload,
  count: number,
  image: string,
): Promise<void> {
  const step = Math.max(1, Math.floor(applications / count));
  await inBatches([...Array(count).keys()], writesAtOnce, async (index) => {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${applicationName(index * step)}`;
    const value = `app:${image}`;
    await bench.client.patch(path, [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value },
    ]);
  });
}

/** Seconds from the server's answer to an edit until a watching engine knows. */
async function watchDelay(bench: Bench, workload: Workload): Promise<number> {
  await using argocd: Peer = await bench.start('argocd', workload);
  await argocd.ask('start');
  await argocd.ask('apply');
  await argocd.ask('check');
  const delays: Measure[] = [];
  for (let round = 0; round < 5; round += 1) {
    await argocd.ask('forget');
    const waiting = argocd.ask('await');
    await edit(bench, workload, 1, `watched-${round}`);
    const answered = Date.now();
    const measure = await waiting;
    delays.push({ ...measure, seconds: Math.max(0, (measure.at ?? 0) / 1e6 - answered / 1e3) });
  }
  return summary(delays).seconds;
}
