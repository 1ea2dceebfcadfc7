import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { secondsBetween } from '../core/model/time.ts';
import { startLocalAws } from '../test/aws/local-aws.ts';
import { findTools, toolFolders } from '../test/cluster/tools.ts';
import { openCluster } from '../test/cluster/open-cluster.ts';
import { install } from '../test/e2e/installation.ts';
import { narrator } from '../test/e2e/narrator.ts';
import { pushFiles, watchPush } from '../test/e2e/push-chapter.ts';
import { recordsOf } from '../test/e2e/records.ts';
import { kubectlOf, targetsOf, type Stage } from '../test/e2e/stage.ts';
import { cloneWorktree } from '../test/git/worktree.ts';

/**
 * `npm run bench:line`: push → applied → healthy on the local stack, and how long the webhook takes to answer. Times are
 * from the start of `git push` to what the system's own records say. No peer runs here: none has this line.
 */

const pushes = 5;
const progress = (line: string) => process.stderr.write(`${line}\n`);

function median(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(2);
}

function row(name: string, values: readonly number[], unit: string): string {
  const range = `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
  return `| ${name} | ${median(values)} ${unit} | ${range} | ${values.length} |`;
}

/** One push of one changed image; gives seconds to applied and to healthy. */
async function measurePush(stage: Stage, round: number): Promise<{ applied: number; healthy: number }> {
  const { healed } = targetsOf(stage.cluster);
  const page = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: round\ndata:\n  round: "${round}"\n`;
  const push = await pushFiles(stage, `storefront: round ${round}`, { 'apps/storefront/round.yaml': page });
  await watchPush(stage, push, [healed]);
  const run = (await stage.records.runs(healed)).findLast(
    ({ value }) => value.commit.sha === push.sha,
  )?.value;
  return {
    applied: secondsBetween(push.startedAt, run?.outcome?.at ?? ''),
    healthy: secondsBetween(push.startedAt, run?.health?.at ?? ''),
  };
}

/** How long the webhook took to answer each push, as the Git host measured it, in milliseconds. */
function answersTo({ installation: { git } }: Stage, event: 'ping' | 'push'): readonly number[] {
  return git.deliveries.all
    .filter((delivery) => delivery.event === event)
    .flatMap(({ attempts }) => attempts.map(({ milliseconds }) => milliseconds));
}

const dir = await mkdtemp(join(tmpdir(), 'trueup-bench-'));
const tools = await findTools({ progress });
const aws = await startLocalAws({ dir: join(dir, 'aws'), progress, extraPath: toolFolders(tools) });
const cluster = await openCluster({ name: 'local', progress });
const installation = await install({
  fleet: 'bench',
  dir,
  from: resolve(import.meta.dirname, '../examples/quickstart'),
  clusters: [{ name: 'local', labels: { environment: 'production' }, cluster }],
  progress,
  aws,
});
try {
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
  const first = await measurePush(stage, 0);
  const rounds = [];
  for (let round = 1; round <= pushes; round += 1) rounds.push(await measurePush(stage, round));
  console.log('| what | median | range | of |\n| --- | --- | --- | --- |');
  console.log(row('push → applied, cold functions', [first.applied], 's'));
  console.log(
    row(
      'push → applied',
      rounds.map(({ applied }) => applied),
      's',
    ),
  );
  console.log(
    row(
      'push → healthy',
      rounds.map(({ healthy }) => healthy),
      's',
    ),
  );
  console.log(row('webhook answer, cold (the ping)', answersTo(stage, 'ping'), 'ms'));
  console.log(row('webhook answer, warm (a push)', answersTo(stage, 'push'), 'ms'));
} finally {
  await installation.stop();
  await cluster.stop();
  await aws.stop();
  await rm(dir, { recursive: true, force: true });
}
