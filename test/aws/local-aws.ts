import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installMinistack } from './install.ts';
import type { Progress } from './install.ts';

const binaries = path.resolve(import.meta.dirname, '../../node_modules/.bin');
const startScript = path.join(import.meta.dirname, 'emulator', 'start.py');
const readyWithinMs = 60_000;
export const localRegion = 'us-east-1';
export const localAccount = '000000000000';

/** An AWS to deploy to and test against: one that we started, or one named by TRUEUP_AWS_ENDPOINT_URL. */
export interface LocalAws {
  endpoint: string;
  region: string;
  /** Variables that lead an SDK, the CDK and our own command line to it; merge into a child's environment. */
  env: Record<string, string>;
  /** Log of the emulator and of the Lambdas in it; empty for one that was there before. */
  logPath: string;
  /** PID of the emulator's process group; undefined for one that was there before. */
  group: number | undefined;
  stop(): Promise<void>;
}

export interface LocalAwsOptions {
  /** Folder of ours alone: log, temporary files of the Lambdas, and their HOME. Made if absent, left behind. */
  dir: string;
  progress?: Progress;
  port?: number;
  /** Folders put on the PATH of the Lambdas, after Node 24: where kubectl and helm are. */
  extraPath?: readonly string[];
  /** Alarm periods pass this many times faster than the clock (6: one of 60 s takes 10 s). Default 1, as on AWS. */
  alarmSpeed?: number;
}

/** The variables of LocalAws.env for an endpoint; dummy keys unless the environment holds real ones. */
export function environmentFor(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    AWS_ACCESS_KEY_ID: process.env['AWS_ACCESS_KEY_ID'] ?? 'test',
    AWS_SECRET_ACCESS_KEY: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** A TCP port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('listening on 127.0.0.1 gave no port');
  return address.port;
}

// Nothing of the caller's environment reaches the Lambdas but the PATH: no credentials, no proxy, no git or kube
// configuration of the person who runs the tests.
function emulatorEnvironment(options: LocalAwsOptions, port: number): Record<string, string> {
  const PATH = [binaries, ...(options.extraPath ?? []), process.env['PATH'] ?? ''].join(path.delimiter);
  return {
    PATH,
    HOME: path.join(options.dir, 'home'),
    TMPDIR: path.join(options.dir, 'tmp'),
    STATE_DIR: path.join(options.dir, 'state'),
    LANG: 'C.UTF-8',
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    MINISTACK_REGION: localRegion,
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    // IAM policies are enforced: a Lambda may do what its role allows and no more, as on AWS.
    AUTH: 'true',
    // No Docker: container images cannot run here, and a daemon that happens to be there must not be used.
    DOCKER_HOST: 'unix:///nonexistent',
    TRUEUP_ALARM_SPEED: String(options.alarmSpeed ?? 1),
    PYTHONUNBUFFERED: '1',
  };
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}

async function ready(child: ChildProcess, endpoint: string, logPath: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (!(await answers(endpoint))) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      const log = await readFile(logPath, 'utf8');
      const what = ended ? 'ended' : `did not answer within ${readyWithinMs / 1000} s`;
      throw new Error(`The local AWS ${what}; the end of ${logPath}:\n${log.slice(-2_000)}`);
    }
    await delay(50);
  }
}

async function endGroup(child: ChildProcess, group: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.ref();
  // The state is in memory and not wanted any more: no reason to wait for a graceful end.
  process.kill(-group, 'SIGKILL');
  await exited;
}

async function start(options: LocalAwsOptions, python: string, port: number): Promise<LocalAws> {
  const endpoint = `http://127.0.0.1:${port}`;
  const logPath = path.join(options.dir, 'aws.log');
  const log = await open(logPath, 'a');
  // Detached: a process group of its own, which its guard ends when our end of its standard input closes.
  const child = spawn(python, [startScript], {
    cwd: options.dir,
    env: emulatorEnvironment(options, port),
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
  });
  await once(child, 'spawn');
  await log.close();
  const group = child.pid;
  if (group === undefined) throw new Error(`${python} was started without a process id`);
  const stop = () => endGroup(child, group);
  try {
    await ready(child, endpoint, logPath);
  } catch (error) {
    await stop();
    throw error;
  }
  // A test that forgets stop() must still end; the emulator ends with it.
  child.unref();
  return { endpoint, region: localRegion, env: environmentFor(endpoint), logPath, group, stop };
}

/** The AWS that TRUEUP_AWS_ENDPOINT_URL names, or an emulator of our own; it ends with stop() or with this process. */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const given = process.env['TRUEUP_AWS_ENDPOINT_URL'];
  if (given !== undefined && given !== '') {
    const stop = () => Promise.resolve();
    const env = environmentFor(given);
    return { endpoint: given, region: localRegion, env, logPath: '', group: undefined, stop };
  }
  const progress = options.progress ?? (() => {});
  const python = await installMinistack(progress);
  for (const folder of ['home', 'tmp', 'state']) {
    await mkdir(path.join(options.dir, folder), { recursive: true });
  }
  const aws = await start(options, python, options.port ?? (await freePort()));
  progress(`local AWS: ready at ${aws.endpoint}`);
  return aws;
}
