import { inBatches } from '../core/in-batches.ts';
import { summary } from './alternate.ts';
import { applicationName } from './manifests.ts';
import type { Measure, Peer } from './peer.ts';
import { duration, ratio, table } from './report.ts';
import type { Bench, Workload } from './world.ts';

const writesAtOnce = 16;
/** Fields to change and what to, another for each edit: a field that is changed again and again stops being healed. */
const container = '/spec/template/spec/containers/0';
const edits: readonly (readonly [string, string | number])[] = [
  [`${container}/image`, 'app:2'],
  [`${container}/env/0/value`, 'debug'],
  [`${container}/resources/requests/cpu`, '50m'],
  [`${container}/resources/requests/memory`, '64Mi'],
  [`${container}/resources/limits/memory`, '256Mi'],
  [`${container}/readinessProbe/httpGet/path`, '/healthy'],
  [`${container}/imagePullPolicy`, 'Always'],
  ['/spec/minReadySeconds', 7],
  ['/spec/revisionHistoryLimit', 7],
  ['/spec/progressDeadlineSeconds', 700],
];

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
  let edited = 0;
  for (const count of counts) {
    const [found, healed, theirs]: [Measure[], Measure[], Measure[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      await edit(bench, workload, count, edited);
      found.push(expectChanged(await trueup.ask('check'), count));
      healed.push(await trueup.ask('heal'));
      expectChanged(await trueup.ask('check'), 0);
      await edit(bench, workload, count, edited);
      theirs.push(expectChanged(await flux.ask('apply'), count));
      edited += 1;
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

/** By another manager; spread over all applications. `which` chooses the field. */
async function edit(
  bench: Bench,
  { namespace, applications }: Workload,
  count: number,
  which: number,
): Promise<void> {
  const step = Math.max(1, Math.floor(applications / count));
  const [path, value] = edits[which % edits.length] ?? ['/spec/minReadySeconds', 7];
  await inBatches([...Array(count).keys()], writesAtOnce, async (index) => {
    const name = applicationName(index * step);
    const object = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    await bench.client.patch(object, [{ op: 'replace', path, value }]);
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
    await edit(bench, workload, 1, round);
    const answered = Date.now();
    const measure = await waiting;
    delays.push({ ...measure, seconds: Math.max(0, (measure.at ?? 0) / 1e6 - answered / 1e3) });
  }
  return summary(delays).seconds;
}
