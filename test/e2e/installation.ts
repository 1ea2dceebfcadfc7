import { mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { outputs, stackName } from '../../core/contract/environment.ts';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { clientConfig, deploy } from '../aws/deploy.ts';
import { localFunctionUrl } from '../aws/emulator.ts';
import type { LocalAws } from '../aws/local-aws.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { findTools, type Tools } from '../cluster/tools.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';

const root = resolve(import.meta.dirname, '../..');
const repositoryName = 'config';

export interface ServedCluster {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cluster: Pick<Cluster, 'kubeconfig'>;
}

type Repositories = StackConfigInput['repositories'];

export interface InstallationOptions {
  readonly fleet: string;
  /** Folder of this installation's own: logs, repositories, the cloud assembly. */
  readonly dir: string;
  /** Folder that becomes the config repository. */
  readonly from: string;
  readonly clusters: readonly ServedCluster[];
  readonly progress: (line: string) => void;
  readonly aws: LocalAws;
  readonly overrides?: Partial<StackConfigInput>;
  /** How the one of the Git host is configured, beyond where it is and how it is read. */
  readonly repository?: Omit<StackConfigInput['repositories'][number], 'name' | 'url' | 'tokenSecret'>;
  /** Beside the one of the Git host, such as environments at the same place. */
  readonly repositories?:
    Repositories | ((own: Pick<Repositories[number], 'url' | 'tokenSecret'>) => Repositories);
}

/** Everything between `git push` and a cluster: a Git host, the local AWS, and our stack deployed on it by the CDK. */
export interface Installation {
  readonly aws: LocalAws;
  readonly git: GitServer;
  readonly tools: Tools;
  readonly repository: string;
  readonly cloneUrlWithToken: string;
  readonly hookUrl: string;
  readonly stack: string;
  readonly fleet: string;
  /** Value of one stack output, by its name in the contract. */
  readonly output: (name: keyof typeof outputs) => string;
  readonly clients: ReturnType<typeof clientConfig>;
  readonly stop: () => Promise<void>;
}

/** Brings all of it up; what was started ends again when a later part fails. */
export async function install(options: InstallationOptions): Promise<Installation> {
  const { dir, progress, fleet, aws } = options;
  await mkdir(dir, { recursive: true });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const tools = await findTools({ progress });
    const token = randomBytes(20).toString('hex');
    const git = await startGitServer({ dir: join(dir, 'git'), token });
    stops.push(() => git.stop());
    await git.createRepository(repositoryName, { from: options.from });
    const cloneUrl = git.url(repositoryName);
    const config = await prepareConfig(options, aws, cloneUrl, token);
    progress(`deploying the stack ${stackName(fleet)} with the CDK`);
    const values = await deployStack(options, aws, config);
    const output = (name: keyof typeof outputs) => valueOf(values, outputs[name]);
    const hookUrl = localFunctionUrl(aws, `${output('hookUrl')}hooks/github`);
    const secret = await readSecret(aws, `${output('hookSecretPrefix')}/github`);
    await git.setWebhook(repositoryName, { url: hookUrl, secret });
    const clients = clientConfig(aws);
    const stack = stackName(fleet);
    return {
      aws,
      git,
      tools,
      repository: repositoryName,
      cloneUrlWithToken: git.urlWithToken(repositoryName),
      hookUrl,
      stack,
      fleet,
      output,
      clients,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Writes the secrets that a user would create before the first deployment, and the configuration that names them. */
async function prepareConfig(
  { fleet, dir, clusters, overrides, repository, repositories = [] }: InstallationOptions,
  aws: LocalAws,
  cloneUrl: string,
  token: string,
): Promise<string> {
  const secretOf = (name: string) => `trueup/${fleet}/clusters/${name}`;
  const tokenSecret = `trueup/${fleet}/repositories/${repositoryName}`;
  await createSecret(aws, tokenSecret, token);
  for (const { name, cluster } of clusters) await createSecret(aws, secretOf(name), cluster.kubeconfig);
  const own = { url: cloneUrl, tokenSecret };
  const others = typeof repositories === 'function' ? repositories(own) : repositories;
  const config: StackConfigInput = {
    fleet,
    repositories: [{ name: repositoryName, ...own, ...repository }, ...others],
    clusters: clusters.map(({ name, labels }) => ({
      name,
      labels: { ...labels },
      access: { type: 'kubeconfig', secret: secretOf(name) },
    })),
    sweepMinutes: 1,
    ...overrides,
  };
  const path = join(dir, 'config.json');
  await writeFile(path, JSON.stringify(config, null, 2));
  return path;
}

async function deployStack(
  { fleet, dir, progress }: InstallationOptions,
  aws: LocalAws,
  config: string,
): Promise<Readonly<Record<string, string>>> {
  const deployed = await deploy({
    aws,
    app: { file: join(root, 'infra', 'app.ts') },
    context: { config, snapshotPackaging: 'zip' },
    dir,
    progress: (line) => {
      if (/CREATE_FAILED|UPDATE_FAILED|✅|❌/.test(line)) progress(`  ${line.trim()}`);
    },
  });
  const values = deployed[stackName(fleet)];
  if (values === undefined)
    throw new Error(`the CDK deployed ${Object.keys(deployed).join(', ')}, not ${stackName(fleet)}`);
  return values;
}

function valueOf(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value === undefined)
    throw new Error(`the stack has no output ${name}; it has ${Object.keys(values).join(', ')}`);
  return value;
}

async function createSecret(aws: LocalAws, name: string, value: string): Promise<void> {
  const { SecretsManagerClient, CreateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(clientConfig(aws));
  await client.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  client.destroy();
}

async function readSecret(aws: LocalAws, name: string): Promise<string> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(clientConfig(aws));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
  client.destroy();
  if (SecretString === undefined) throw new Error(`the secret ${name} has no text`);
  return SecretString;
}
