import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isoTime, secondsBetween } from '../core/model/time.ts';
import type { RunRecord } from '../core/model/run.ts';
import { startLocalAws } from '../test/aws/local-aws.ts';
import { openCluster } from '../test/cluster/open-cluster.ts';
import { findTools, toolFolders } from '../test/cluster/tools.ts';
import { install } from '../test/e2e/installation.ts';
import { narrator } from '../test/e2e/narrator.ts';
import { pushFiles, watchRun } from '../test/e2e/push-chapter.ts';
import { recordsOf } from '../test/e2e/records.ts';
import { kubectlOf, targetsOf, trueup, type Stage } from '../test/e2e/stage.ts';
import { until } from '../test/e2e/until.ts';
import { cloneWorktree } from '../test/git/worktree.ts';

/**
 * `npm run bench:rollback`: how long it takes to be back where it was healthy, on the local stack with the Git server
 * stopped: `trueup rollback` by a person, and by itself. Times are from the start of the command, or from the bad revision,
 * to what the system's own records say. No peer runs here: Argo CD and Flux go back by a commit, which needs Git.
 */

const rounds = 5;
const progress = (line: string) => process.stderr.write(`${line}\n`);
const file = 'apps/storefront/web.yaml';
const now = () => isoTime(Date.now());

function row(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return `| ${name} | ${median.toFixed(2)} s | ${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)} | ${values.length} |`;
}

/** The first run since then that came to be healthy. */
async function healthySince(stage: Stage, at: string): Promise<RunRecord> {
  const { healed } = targetsOf(stage.cluster);
  const found = async () =>
    (await stage.records.runs(healed)).find(
      ({ value }) => value.startedAt >= at && value.health?.status === 'Healthy',
    )?.value;
  return until('a healthy run', found, { seconds: 180 });
}

interface Round {
  readonly answered: number;
  readonly applied: number;
  readonly healthy: number;
}

async function rollBackTo(stage: Stage, sha: string): Promise<Round> {
  const { installation } = stage;
  const startedAt = now();
  await trueup(installation, 'rollback', '--app', 'storefront', '--to', sha, '--reason', 'bench');
  const answered = secondsBetween(startedAt, now());
  const run = await healthySince(stage, startedAt);
  const applied = secondsBetween(startedAt, run.outcome?.at ?? '');
  const healthy = secondsBetween(startedAt, run.health?.at ?? '');
  return { answered, applied, healthy };
}

/** Pods that no node takes, and no patience: Degraded after 5 s, as the controllers of the cluster say it. */
async function pushBad(stage: Stage, web: string): Promise<string> {
  const bad = web
    .replace('  replicas: 2\n', '  replicas: 2\n  progressDeadlineSeconds: 5\n')
    .replace(
      '    spec:\n      containers:',
      '    spec:\n      nodeSelector: { disk: none }\n      containers:',
    );
  const { sha } = await pushFiles(stage, 'storefront: a version that never gets ready', { [file]: bad });
  return sha;
}

interface SelfRound {
  /** From its objects applied to the pointer that went back. */
  readonly noticed: number;
  /** From there to healthy again. */
  readonly healthy: number;
}

async function rollBackByItself(stage: Stage, web: string): Promise<SelfRound> {
  const { healed } = targetsOf(stage.cluster);
  const sha = await pushBad(stage, web);
  const applied = await until('the bad revision applied', async () =>
    (await stage.records.runs(healed)).find(
      ({ value }) => value.commit.sha === sha && value.outcome !== undefined,
    ),
  );
  await stage.installation.git.stop();
  const pin = await until('the rollback', async () => (await stage.records.desired(healed))?.pin, {
    seconds: 240,
  });
  const run = await healthySince(stage, pin.at);
  return {
    noticed: secondsBetween(applied.value.outcome?.at ?? '', pin.at),
    healthy: secondsBetween(pin.at, run.health?.at ?? ''),
  };
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
  const { healed } = targetsOf('local');
  const application = await readFile(join(clone, 'applications/storefront.yaml'), 'utf8');
  const watched = `${application}  rollback: { onFailure: { window: 10m } }\n`;
  const web = await readFile(join(clone, file), 'utf8');
  const first = await pushFiles(stage, 'storefront: watched', { 'applications/storefront.yaml': watched });
  await watchRun(stage, first, healed);
  const second = await pushFiles(stage, 'storefront: the next', { [file]: web.replace('1.29.1', '1.29.2') });
  await watchRun(stage, second, healed);
  const itself = await rollBackByItself(stage, web);
  const found: Round[] = [];
  // Git is gone by now.
  for (let round = 0; round < rounds; round += 1)
    found.push(await rollBackTo(stage, (round % 2 === 0 ? first : second).sha));
  console.log('| what | median | range | of |\n| --- | --- | --- | --- |');
  console.log(
    row(
      '`trueup rollback` → the command has answered',
      found.map(({ answered }) => answered),
    ),
  );
  console.log(
    row(
      '`trueup rollback` → applied',
      found.map(({ applied }) => applied),
    ),
  );
  console.log(
    row(
      '`trueup rollback` → healthy',
      found.map(({ healthy }) => healthy),
    ),
  );
  console.log(row('by itself: bad revision applied → pointer back', [itself.noticed]));
  console.log(row('by itself: pointer back → healthy', [itself.healthy]));
} finally {
  await installation.stop();
  await cluster.stop();
  await aws.stop();
  await rm(dir, { recursive: true, force: true });
}
