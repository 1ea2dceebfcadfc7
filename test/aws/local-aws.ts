import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../cluster/cache.ts';
import { lastLines, spawnGuarded, type GuardedProcess } from '../cluster/guarded-process.ts';
import { installMinistack } from './install.ts';

const binaries = resolve(import.meta.dirname, '../../node_modules/.bin');
const startScript = join(import.meta.dirname, 'emulator', 'start.py');
const readyWithinMs = 60_000;
const localRegion = 'us-east-1';
export const localAccount = '000000000000';

/** An AWS to deploy to and test against: one that we started, or one named by TRUEUP_AWS_ENDPOINT_URL. */
export interface LocalAws {
  endpoint: string;
  region: string;
  /** Variables that lead an SDK, the CDK and our own command line to it; merge into a child's environment. */
  env: Record<string, string>;
  /** Log of the emulator; empty for one that was there before. */
  logPath: string;
  /** What the Lambdas printed, a line each, with function and request; empty for one that was there before. */
  functionLogPath: string;
  /** Id of the process group that the emulator and all it starts are in; undefined for one that was there before. */
  group: number | undefined;
  stop(): Promise<void>;
}

export interface LocalAwsOptions {
  /** Folder of ours alone: logs, temporary files of the Lambdas, and their HOME. Made if absent, left behind. */
  dir: string;
  progress?: Progress;
  port?: number;
  /** Folders put on the PATH of the Lambdas, after Node 24: where kubectl and helm are. */
  extraPath?: readonly string[];
  /** Alarm periods pass this many times faster than the clock (6: one of 60 s takes 10 s). Default 1, as on AWS. */
  alarmSpeed?: number;
}

/** The variables of LocalAws.env; the emulator takes these keys for the account's root and no others. */
function environmentFor(endpoint: string, key = 'test', secret = 'test'): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** An AWS that somebody else started and will end. */
export function givenAws(endpoint: string): LocalAws {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = process.env;
  const env = environmentFor(endpoint, key, secret);
  const stop = () => Promise.resolve();
  return { endpoint, region: localRegion, env, logPath: '', functionLogPath: '', group: undefined, stop };
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
  const PATH = [binaries, ...(options.extraPath ?? []), process.env['PATH'] ?? ''].join(delimiter);
  return {
    PATH,
    HOME: join(options.dir, 'home'),
    TMPDIR: join(options.dir, 'tmp'),
    STATE_DIR: join(options.dir, 'state'),
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
    LOCAL_AWS_ALARM_SPEED: String(options.alarmSpeed ?? 1),
    LOCAL_AWS_FUNCTION_LOG: join(options.dir, 'functions.log'),
    PYTHONUNBUFFERED: '1',
    // The emulator's Node worker calls url.parse; not a warning about our code.
    NODE_OPTIONS: '--disable-warning=DEP0169',
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

async function ready(emulator: GuardedProcess, endpoint: string): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (!(await answers(endpoint))) {
    const ending = emulator.ending();
    if (ending !== undefined || Date.now() > deadline) {
      const what = ending ?? `${emulator.name} did not answer within ${readyWithinMs / 1000} s`;
      throw new Error(`${what}; the end of ${emulator.logPath}:\n${lastLines(emulator.logPath)}`);
    }
    await delay(25);
  }
}

/** Its warm Lambdas are other processes of the group, and would stay when the emulator alone was killed. */
async function endGroupWith(emulator: GuardedProcess): Promise<void> {
  await emulator.ended;
  emulator.signal('SIGKILL');
}

async function start(options: LocalAwsOptions, python: string, port: number): Promise<LocalAws> {
  const endpoint = `http://127.0.0.1:${port}`;
  const emulator = await spawnGuarded({
    name: 'the local AWS',
    command: python,
    args: [startScript],
    cwd: options.dir,
    env: emulatorEnvironment(options, port),
    logPath: join(options.dir, 'aws.log'),
  });
  const groupEnded = endGroupWith(emulator);
  // Its state is in memory and not wanted any more: no reason to wait for a graceful end.
  const stop = async () => {
    await emulator.stop('SIGKILL');
    await groupEnded;
  };
  try {
    await ready(emulator, endpoint);
  } catch (error) {
    await stop();
    throw error;
  }
  const env = environmentFor(endpoint);
  const functionLogPath = join(options.dir, 'functions.log');
  const { logPath, pid: group } = emulator;
  return { endpoint, region: localRegion, env, logPath, functionLogPath, group, stop };
}

/** The AWS that TRUEUP_AWS_ENDPOINT_URL names, or an emulator of our own; it ends with stop() or with this process. */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const given = process.env['TRUEUP_AWS_ENDPOINT_URL'];
  if (given !== undefined && given !== '') return givenAws(given);
  const progress = options.progress ?? (() => {});
  const python = await installMinistack(progress);
  for (const folder of ['home', 'tmp', 'state']) {
    await mkdir(join(options.dir, folder), { recursive: true });
  }
  const aws = await start(options, python, options.port ?? (await freePort()));
  progress(`local AWS: ready at ${aws.endpoint}`);
  return aws;
}
