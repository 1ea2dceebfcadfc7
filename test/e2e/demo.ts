import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLocalAws } from '../aws/local-aws.ts';
import { openCluster } from '../cluster/open-cluster.ts';
import { findTools, toolFolders } from '../cluster/tools.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { startDashboard } from './dashboard.ts';
import { demoRepository } from './demo-repository.ts';
import { install } from './installation.ts';
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

interface Ready {
  readonly stage: Stage;
  readonly kubeconfigPath: string;
  /** Its address, with the token. */
  readonly dashboard: string;
}

/** Starts the parts, and ends those it started when one fails or Ctrl-C comes in between. */
async function setUp(): Promise<Ready> {
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
    ...(await demoRepository(join(dir, 'from'))),
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
  return { stage, kubeconfigPath: cluster.kubeconfigPath, dashboard: dashboard.url };
}

/** The first change of one's own first: who has come this far wants to see that. */
function tellHowToPoke({ stage: { installation }, kubeconfigPath, dashboard }: Ready): void {
  const { aws, cloneUrlWithToken, stack, tools } = installation;
  const variables = Object.entries(aws.env).map(([name, value]) => `${name}=${value}`);
  story.chapter('It stays up until Ctrl-C. Your own change, on the map in some ten seconds:');
  story.say(`1. open ${dashboard} and there storefront, Map`);
  story.say(`2. git clone ${cloneUrlWithToken} config`);
  story.say(
    '3. cd config; edit apps/storefront/web.yaml (an image, a ConfigMap more); git commit -a; git push',
  );
  story.chapter('Or drift, which storefront heals and payments only reports:');
  story.say(`KUBECONFIG=${kubeconfigPath} ${tools.kubectl} -n payments scale deployment/api --replicas=5`);
  story.chapter('Or the command line:');
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
    const ready = await setUp();
    await tellStory(ready.stage);
    story.chapter(
      `Every step was seen: ${story.seen.length}, in ${((performance.now() - started) / 1000).toFixed(0)} s.`,
    );
    if (!values.once) tellHowToPoke(ready);
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
