import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startLocalAws } from '../aws/local-aws.ts';
import { openCluster } from '../cluster/open-cluster.ts';
import { findTools, toolFolders } from '../cluster/tools.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { startDashboard } from './dashboard.ts';
import { install, type Installation } from './installation.ts';
import { narrator } from './narrator.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, type Stage } from './stage.ts';
import { tellStory } from './story.ts';

/** `npm run demo [-- --once]`: the main job on real input, on this machine alone. */

const clusterName = 'local';
const user = 'alice';
/** Nobody wants to wait two real minutes for an alarm's return to OK; said on the screen. */
const alarmSpeed = 3;
const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const dir = await mkdtemp(join(tmpdir(), 'trueup-demo-'));
const story = narrator((line) => console.log(line));
const started = performance.now();
const progress = (line: string) => {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(4);
  console.log(`${seconds} s  ${line}`);
};

const stops: (() => Promise<void>)[] = [];
async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
  await rm(dir, { recursive: true, force: true });
}

/** Starts the parts, and ends those it started when one fails or Ctrl-C comes in between. */
async function setUp(): Promise<{ stage: Stage; kubeconfigPath: string }> {
  // First what is quick to fail: without python3 nobody should wait for Go to build a control plane.
  const tools = await findTools({ progress });
  const aws = await startLocalAws({
    dir: join(dir, 'aws'),
    progress,
    extraPath: toolFolders(tools),
    alarmSpeed,
  });
  progress(`alarm periods of 60 s pass ${alarmSpeed} times faster on this local AWS`);
  stops.push(() => aws.stop());
  const cluster = await openCluster({
    name: clusterName,
    progress,
    users: [{ name: user, groups: ['system:masters'] }],
  });
  stops.push(cluster.stop);
  const installation = await install({
    fleet: 'demo',
    dir,
    from: resolve(import.meta.dirname, '../../examples/quickstart'),
    clusters: [{ name: clusterName, labels: { environment: 'production' }, cluster }],
    progress,
    aws,
  });
  stops.push(installation.stop);
  const dashboard = await startDashboard(installation, cluster.kubeconfigPath);
  stops.push(dashboard.stop);
  progress(`the dashboard, to watch what follows: ${dashboard.url}`);
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const context = cluster.controlPlane === undefined ? undefined : `${user}@${clusterName}`;
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath, context);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: story, cluster: clusterName, kubectl };
  return { stage, kubeconfigPath: cluster.kubeconfigPath };
}

function tellHowToPoke({ aws, cloneUrlWithToken, stack, tools }: Installation, kubeconfigPath: string): void {
  const variables = Object.entries(aws.env).map(([name, value]) => `${name}=${value}`);
  story.chapter('It stays up until Ctrl-C. To poke at it:');
  story.say(`git clone ${cloneUrlWithToken}   # edit, push, watch`);
  story.say(`KUBECONFIG=${kubeconfigPath} ${tools.kubectl} get deployments --all-namespaces`);
  story.say(`export ${variables.join(' ')}`);
  story.say(`npm run -s trueup -- status --stack ${stack}`);
  story.say(`log of the local AWS and its functions: ${aws.logPath}`);
}

const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(
  () => 'interrupted' as const,
);
// Neither a signal handler nor the started parts keep the event loop alive.
const keepAlive = setInterval(() => undefined, 60_000);
try {
  const told = (async () => {
    const { stage, kubeconfigPath } = await setUp();
    await tellStory(stage);
    story.chapter(
      `Every step was seen: ${story.seen.length}, in ${((performance.now() - started) / 1000).toFixed(0)} s.`,
    );
    if (!values.once) tellHowToPoke(stage.installation, kubeconfigPath);
  })();
  const ended = await Promise.race([told, interrupted]);
  if (ended === 'interrupted') process.exitCode = 130;
  else if (!values.once) await interrupted;
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  clearInterval(keepAlive);
  await stopAll();
}
process.exit();
