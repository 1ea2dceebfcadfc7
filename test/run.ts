import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bootstrap } from './aws/deploy.ts';
import { startLocalAws } from './aws/local-aws.ts';
import { openCluster } from './cluster/open-cluster.ts';
import { clusterVariables, sharedClusterOptions } from './cluster/test-cluster.ts';
import { findTools, toolFolders } from './cluster/tools.ts';
import { everyTest, longTests } from './files.ts';
import { together } from './together.ts';

/**
 * `npm test`: one control plane and one local AWS for all test files, which keep apart by namespace and prefix.
 * Files named on the command line run alone; `--long` runs the proofs that take longer.
 */

const progress = (line: string) => process.stderr.write(`${line}\n`);

function chosen(args: readonly string[]): readonly string[] {
  const files = args.filter((arg) => !arg.startsWith('--'));
  if (files.length > 0) return files.map((file) => resolve(process.env['INIT_CWD'] ?? '.', file));
  return args.includes('--long') ? longTests() : everyTest();
}

function runTests(files: readonly string[], variables: Readonly<Record<string, string>>): Promise<number> {
  // One more than the smallest machine that this must pass on has cores: those with a stack mostly wait.
  const args = ['--test', '--test-concurrency=3', '--test-reporter=spec', ...files];
  return new Promise((done) => {
    spawn('node', args, { stdio: 'inherit', env: { ...process.env, ...variables } }).on('close', (code) => {
      done(code ?? 1);
    });
  });
}

const dir = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const tools = await findTools({ progress });
// First what is quick to fail: without python3 nobody should wait for Go to build a control plane.
const aws = await startLocalAws({
  dir: join(dir, 'aws'),
  progress,
  alarmSpeed: 6,
  extraPath: toolFolders(tools),
});
const files = chosen(process.argv.slice(2));
const opening = openCluster({ ...sharedClusterOptions, progress });
try {
  const [cluster] = await Promise.all([opening, files.length > 1 && bootstrap(aws)]);
  // Files that were named, and long ones, keep a process each.
  const modules = process.argv.length > 2 ? files : together(files, join(dir, 'together'), 10);
  process.exitCode = await runTests(modules, {
    ...clusterVariables(cluster),
    TRUEUP_TEST_AWS_ENDPOINT: aws.endpoint,
    TRUEUP_TEST_AWS_LOG: aws.logPath,
    // Most processes, the command line's too, load the same modules: compiled once for all.
    NODE_COMPILE_CACHE: join(dir, 'compiled'),
  });
} finally {
  // A control plane that did not open has said so, and there is none to stop.
  const stopping = opening.then(
    async (cluster) => cluster.stop(),
    () => undefined,
  );
  await Promise.all([stopping, aws.stop()]);
  await rm(dir, { recursive: true, force: true });
}
