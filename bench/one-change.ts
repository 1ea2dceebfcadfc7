import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterClient } from '../test/cluster/cluster-client.ts';
import { inBatches } from '../core/in-batches.ts';
import { alternate, quickBeats, summary, type Entry } from './alternate.ts';
import {
  applicationName,
  applicationObjects,
  churnApplication,
  churnObjects,
  writeApplication,
} from './manifests.ts';
import type { Measure } from './peer.ts';
import { resultTable } from './result-table.ts';
import type { Bench, Traffic, Workload } from './world.ts';

const writesAtOnce = 16;
/** Status writes a second, by others. */
const churnRate = 20;

/** 3: one image of one application changes; then everything is clean again while others write all the time. */
export async function oneChange(
  bench: Bench,
  [applications = 250, foreign = 10_000, churning = 50]: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  const workload = await bench.workload(applications);
  await writeApplication(workload.folder, churnApplication, churnObjects(workload.namespace, churning));
  await using trueup = await bench.start('trueup', workload);
  for (const command of ['push', 'apply']) await trueup.ask(command);
  const change = await changeOne(bench, workload, rounds);
  bench.progress(`making ${foreign} objects that are nobody's here`);
  await makeForeign(bench.client, workload.namespace, foreign);
  const quiet = await cleanCheck(bench, workload, rounds);
  const busy = await besideChurn(bench, workload, { churning, rounds });
  await bench.discard(workload);
  return [
    `### One image of one application of ${applications}`,
    change,
    `### Clean check of ${workload.objects + 2 * churning} objects beside ${foreign} Secrets and ConfigMaps of others`,
    quiet,
    `### The same, with ${churnRate} status writes a second to Deployments, autoscalers and claims`,
    busy,
  ];
}

async function besideChurn(
  bench: Bench,
  workload: Workload,
  { churning, rounds }: { readonly churning: number; readonly rounds: number },
): Promise<string> {
  await using _ = churn(bench.client, workload.namespace, churning);
  return await cleanCheck(bench, workload, rounds);
}

/** Plan and apply. Flux is given that application alone, as if it had a Kustomization of its own. */
async function changeOne(bench: Bench, workload: Workload, rounds: number): Promise<string> {
  const name = applicationName(Math.floor(workload.applications / 2));
  const one = { ...workload, folder: join(workload.folder, '..', 'one') };
  await mkdir(one.folder, { recursive: true });
  await using trueup = await bench.start('trueup', workload);
  const measures: Record<'trueup' | 'Flux, limits raised', Measure[]> = {
    trueup: [],
    'Flux, limits raised': [],
  };
  for (let round = 0; round < rounds; round += 1) {
    const objects = (image: string) => applicationObjects(workload.namespace, name, image);
    await writeApplication(one.folder, name, objects(`app:flux-${round}`));
    await using flux = await bench.start('flux', one);
    measures['Flux, limits raised'].push(await flux.ask('apply'));
    await writeApplication(workload.folder, name, objects(`app:trueup-${round}`));
    await trueup.ask(`push ${name}`);
    measures.trueup.push(await trueup.ask(`apply ${name}`));
  }
  return resultTable(
    new Map(Object.entries(measures).map(([engine, all]) => [engine, summary(all)])),
    'trueup',
  );
}

async function cleanCheck(bench: Bench, workload: Workload, rounds: number): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const names = {
    'trueup, fast check': 'trueup',
    'bare metadata lists': 'floor',
    'Flux, limits raised': 'flux',
    'Argo CD, cache filled': 'argocd',
  } as const;
  const entries: Entry[] = [];
  for (const [name, engine] of Object.entries(names)) {
    const peer = stack.use(await bench.start(engine, workload));
    if (engine === 'argocd') await peer.ask('start');
    const beats = engine === 'trueup' || engine === 'floor' ? quickBeats : 1;
    entries.push({ name, peer, command: 'check', beats, ...(engine === 'flux' && { rounds: 2 }) });
  }
  const results = await alternate(entries, rounds, bench.progress);
  const traffic = new Map<string, Traffic>();
  for (const [name, engine] of Object.entries(names)) {
    const before = engine === 'argocd' ? ['start'] : engine === 'trueup' ? ['check'] : [];
    traffic.set(name, await bench.traffic(engine, workload, 'check', before));
  }
  return resultTable(results, 'trueup, fast check', traffic);
}

async function makeForeign(client: ClusterClient, namespace: string, count: number): Promise<void> {
  const content = Buffer.from('x'.repeat(500)).toString('base64');
  await inBatches([...Array(count).keys()], writesAtOnce, async (index) => {
    const [kind, plural] = index % 2 === 0 ? ['Secret', 'secrets'] : ['ConfigMap', 'configmaps'];
    const metadata = { name: `foreign-${index}`, labels: { app: 'foreign' } };
    const object = { apiVersion: 'v1', kind, metadata, data: { content } };
    await client.create(`/api/v1/namespaces/${namespace}/${plural}`, object);
  });
}

/** Writes status, as controllers do, until disposed of. */
function churn(client: ClusterClient, namespace: string, count: number): AsyncDisposable {
  const paths = [
    'apis/apps/v1:deployments',
    'apis/autoscaling/v2:horizontalpodautoscalers',
    'api/v1:persistentvolumeclaims',
  ];
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    for (let write = 0; !stopping.signal.aborted; write += 1) {
      const [root, plural] = (paths[write % paths.length] ?? '').split(':');
      const path = `/${root}/namespaces/${namespace}/${plural}/${applicationName(write % count)}/status`;
      const condition = {
        type: 'Churning',
        status: write % 2 === 0 ? 'True' : 'False',
        reason: 'Churn',
        message: `write ${write}`,
        lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
      };
      await client.patch(path, { status: { conditions: [condition] } }, 'controller');
      await delay(1000 / churnRate);
    }
  };
  const done = work();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await done;
    },
  };
}
