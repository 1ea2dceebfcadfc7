import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { Progress } from '../cluster/cache.ts';
import { localAccount } from './local-aws.ts';
import type { LocalAws } from './local-aws.ts';

const root = path.resolve(import.meta.dirname, '../..');
const binaries = path.join(root, 'node_modules', '.bin');
const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** Outputs by stack name, then by output name. */
export type StackOutputs = z.infer<typeof outputsSchema>;

export interface Deployment {
  aws: LocalAws;
  /** The app's TypeScript file, or a ready cloud assembly (`cdk.out`), which skips synthesis and bundling. */
  app: { file: string } | { assembly: string };
  /** Which stacks; default all. */
  stacks?: readonly string[];
  /** CDK context values (`-c name=value`); structured values as JSON. Of no use with an assembly. */
  context?: Readonly<Record<string, string>>;
  /** Where the CDK writes what it makes: `outputs.json` and, from a file, `cdk.out`. Must exist. */
  dir: string;
  progress?: Progress;
}

/** Our environment with every AWS variable replaced by those of the local AWS: no profile or real key gets through. */
function environmentOf(aws: LocalAws): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('AWS_') || name.startsWith('CDK_') ? [] : [[name, value] as const],
  );
  const PATH = `${binaries}${path.delimiter}${process.env['PATH'] ?? ''}`;
  return { ...Object.fromEntries(kept), PATH, CDK_DISABLE_CLI_TELEMETRY: 'true', ...aws.env };
}

async function cdk(aws: LocalAws, cwd: string, args: readonly string[], progress: Progress): Promise<void> {
  const common = ['--no-notices', '--no-color', '--no-version-reporting'];
  const child = spawn(path.join(binaries, 'cdk'), [...args, ...common], {
    cwd,
    env: environmentOf(aws),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      said.push(line);
      if (line.trim() !== '') progress(line);
    });
  }
  await once(child, 'close');
  if (child.exitCode === 0) return;
  throw new Error(
    `cdk ${args[0] ?? ''} failed (${child.exitCode ?? child.signalCode}):\n${said.slice(-40).join('\n')}`,
  );
}

async function isBootstrapped(aws: LocalAws): Promise<boolean> {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(clientConfig(aws));
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: 'CDKToolkit' }));
    return Stacks?.[0]?.StackStatus?.endsWith('_COMPLETE') ?? false;
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return false;
    throw error;
  } finally {
    client.destroy();
  }
}

/** Configuration of an AWS SDK client for the local AWS. */
export function clientConfig(aws: LocalAws) {
  const { AWS_ACCESS_KEY_ID: accessKeyId = 'test', AWS_SECRET_ACCESS_KEY: secretAccessKey = 'test' } =
    aws.env;
  return { endpoint: aws.endpoint, region: aws.region, credentials: { accessKeyId, secretAccessKey } };
}

/**
 * Makes the CDK's own stack (asset bucket, roles) unless it is there; once for each emulator. Two at once take each
 * other's change set away, so whoever lets several test files share an emulator calls this before them.
 */
export async function bootstrap(aws: LocalAws, progress: Progress = () => {}): Promise<void> {
  if (await isBootstrapped(aws)) return;
  // Not in the root, where cdk.json would make it synthesise the whole app first.
  await cdk(aws, import.meta.dirname, ['bootstrap', `aws://${localAccount}/${aws.region}`], progress);
}

/** Deploys with the pinned CDK command line and returns the stacks' outputs. Throws with the end of what cdk said. */
export async function deploy(deployment: Deployment): Promise<StackOutputs> {
  const { aws, app, dir, stacks = [], context = {}, progress = () => {} } = deployment;
  await bootstrap(aws, progress);
  const outputsFile = path.join(dir, 'outputs.json');
  const source =
    'file' in app
      ? ['--app', `node ${JSON.stringify(app.file)}`, '--output', path.join(dir, 'cdk.out')]
      : ['--app', app.assembly];
  const values = Object.entries(context).flatMap(([name, value]) => ['--context', `${name}=${value}`]);
  const which = stacks.length > 0 ? stacks : ['--all'];
  const options = ['--require-approval', 'never', '--progress', 'events', '--outputs-file', outputsFile];
  await cdk(aws, root, ['deploy', ...which, ...source, ...values, ...options], progress);
  return outputsSchema.parse(JSON.parse(await readFile(outputsFile, 'utf8')));
}

/** `cdk destroy` of stacks that a cloud assembly names. */
export async function destroy(
  aws: LocalAws,
  assembly: string,
  stacks: readonly string[],
  progress: Progress = () => {},
): Promise<void> {
  await cdk(aws, root, ['destroy', ...stacks, '--app', assembly, '--force'], progress);
}
