import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Blocked, Stop, messageOf } from '../core/errors.ts';
import { nameSchema } from '../core/model/target.ts';
import type { ApiAccess } from './api-client.ts';

/** A context of a person's kubeconfig: the name that records know it by, and how to reach it. */
export interface LocalContext {
  /** Of the context, made a valid name where it is none. */
  readonly cluster: string;
  readonly access: ApiAccess;
}

export interface LocalKubeconfig {
  /** Later ones add what earlier ones do not name, as kubectl has it. */
  readonly files: readonly string[];
  /** The current one when left out. */
  readonly context?: string | undefined;
}

/** A token that an exec plugin or a file gave is asked for again after this; files of tokens are rotated. */
const tokenMaxAgeMs = 10_000;
const longestName = 53;

/**
 * Reads how to reach a cluster from the kubeconfig of the person at the terminal: files, tokens and exec plugins are
 * theirs, and are used as kubectl does. Throws Stop and Blocked with what to do, and never a value.
 */
export async function readLocalKubeconfig({ files, context }: LocalKubeconfig): Promise<LocalContext> {
  const config = await load(files);
  const subject = files.length === 1 ? `kubeconfig ${files[0]}` : `kubeconfigs ${files.join(', ')}`;
  const contexts = config.getContexts().map(({ name }) => name);
  const known = contexts.length === 0 ? 'it has none' : `it has: ${contexts.join(', ')}`;
  const name = context ?? config.getCurrentContext();
  if (name === undefined || name === '') {
    throw new Stop({ subject, message: `names no current context; choose one with --context (${known})` });
  }
  if (!contexts.includes(name)) {
    throw new Stop({ subject, message: `has no context ${name}; ${known}` });
  }
  config.setCurrentContext(name);
  assertUsable(config, `${subject}, context ${name}`);
  return { cluster: clusterNameOf(name), access: await accessOf(config, name, subject) };
}

/** A valid name for records, other for every context: what had to be altered gets a short digest of the whole. */
export function clusterNameOf(context: string): string {
  if (nameSchema.safeParse(context).success) return context;
  const digest = createHash('sha256').update(context).digest('hex').slice(0, 8);
  const plain = context
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, longestName - digest.length - 1);
  return plain === '' ? digest : `${plain.replace(/-+$/, '')}-${digest}`;
}

async function load(files: readonly string[]): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0) {
    const message = 'there is no such file; name yours with --kubeconfig or KUBECONFIG';
    throw new Stop({ subject: `kubeconfig ${files.join(', ')}`, message });
  }
  const [first, ...others] = there.map((file) => {
    const config = new KubeConfig();
    try {
      config.loadFromFile(file);
    } catch {
      // The parser's own words may quote a token.
      throw new Stop({
        subject: `kubeconfig ${file}`,
        message: 'is not a kubeconfig; mend it, or name another',
      });
    }
    return config;
  });
  if (first === undefined) throw new Error('a list that is not empty has a first item');
  const merged = { clusters: first.clusters, users: first.users, contexts: first.contexts };
  for (const { clusters, users, contexts } of others) {
    merged.clusters = withNew(merged.clusters, clusters);
    merged.users = withNew(merged.users, users);
    merged.contexts = withNew(merged.contexts, contexts);
  }
  const currentContext = [first, ...others].map((config) => config.currentContext).find(Boolean) ?? '';
  const config = new KubeConfig();
  config.loadFromOptions({ ...merged, currentContext });
  return config;
}

function withNew<T extends { readonly name: string }>(known: readonly T[], more: readonly T[]): T[] {
  return [...known, ...more.filter(({ name }) => !known.some((one) => one.name === name))];
}

function assertUsable(config: KubeConfig, subject: string): void {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) {
    throw new Stop({ subject, message: 'names a cluster or a user that is not there; mend the kubeconfig' });
  }
  const faults = [
    !cluster.server.startsWith('https://') && 'its server must be https://',
    cluster.skipTLSVerify &&
      'insecure-skip-tls-verify is not accepted: anybody on the way could read and change what is sent; give certificate-authority-data instead',
    cluster.proxyUrl !== undefined && 'proxy-url is not supported',
    user.username !== undefined && 'user name and password are not supported: use a token or a certificate',
    user.impersonateUser !== undefined &&
      'impersonation by the kubeconfig is not supported: say impersonate in an Application file (--application)',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw new Stop({ subject, message: faults.join('; ') });
}

async function accessOf(config: KubeConfig, context: string, subject: string): Promise<ApiAccess> {
  const cluster = config.getCurrentCluster();
  const first = await optionsOf(config, subject);
  let known = { at: Date.now(), authorization: authorizationIn(first) };
  const authorization = async (fresh: boolean): Promise<string> => {
    if (fresh || Date.now() - known.at > tokenMaxAgeMs) {
      known = { at: Date.now(), authorization: authorizationIn(await optionsOf(config, subject)) };
    }
    return known.authorization ?? '';
  };
  const { ca, cert, key } = first;
  return {
    cluster: context,
    server: (cluster?.server ?? '').replace(/\/$/, ''),
    ...(ca !== undefined && { ca: textOf(ca) }),
    ...(cluster?.tlsServerName !== undefined && { serverName: cluster.tlsServerName }),
    ...(known.authorization !== undefined && { authorization }),
    ...(cert !== undefined &&
      key !== undefined && { clientCertificate: { cert: textOf(cert), key: textOf(key) } }),
  };
}

/** What kubectl would send: runs the exec plugin, reads the files. */
async function optionsOf(config: KubeConfig, subject: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const command = commandOf(config);
    const what = command === undefined ? 'its credentials cannot be read' : `its command ${command} failed`;
    const message = `${what}: ${messageOf(cause).trim()}; does kubectl work with it?`;
    throw new Blocked({ subject, message, cause });
  }
  return options;
}

function commandOf(config: KubeConfig): string | undefined {
  const exec: unknown = config.getCurrentUser()?.exec;
  if (typeof exec !== 'object' || exec === null || !('command' in exec)) return undefined;
  return typeof exec.command === 'string' ? exec.command : undefined;
}

function authorizationIn({ headers }: RequestOptions): string | undefined {
  const value = headers !== undefined && 'Authorization' in headers ? headers['Authorization'] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Certificates come as text, as bytes, or as a list of either. */
function textOf(pem: NonNullable<RequestOptions['ca'] | RequestOptions['key']>): string {
  if (Array.isArray(pem))
    return pem.map((one) => textOf(typeof one === 'object' && 'pem' in one ? one.pem : one)).join('\n');
  return pem.toString();
}
