import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
// The parts that are needed: the package as a whole takes a second to load.
import type { Cluster, Context, User } from '@kubernetes/client-node/dist/config_types.js';
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { load } from 'js-yaml';
import { Blocked, Stop, messageOf } from '../core/errors.ts';
import { isJsonObject, type Json } from '../core/model/json.ts';
import { nameSchema } from '../core/model/target.ts';
import type { ApiAccess } from './api-client.ts';
import { fileFault } from './file-fault.ts';

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
  const config = await readAll(files);
  const subject = files.length === 1 ? `kubeconfig ${files[0]}` : `kubeconfigs ${files.join(', ')}`;
  const names = config.contexts.map(({ name }) => name);
  const known = names.length === 0 ? 'it has none' : `it has: ${names.join(', ')}`;
  const name = context ?? config.current;
  if (name === undefined || name === '') {
    throw new Stop({ subject, message: `names no current context; choose one with --context (${known})` });
  }
  const chosen = config.contexts.find((one) => one.name === name);
  if (chosen === undefined) throw new Stop({ subject, message: `has no context ${name}; ${known}` });
  const cluster = config.clusters.find((one) => one.name === chosen.cluster);
  const user = config.users.find((one) => one.name === chosen.user);
  const place = `${subject}, context ${name}`;
  if (cluster === undefined || user === undefined) {
    const message = 'names a cluster or a user that is not there; mend the kubeconfig';
    throw new Stop({ subject: place, message });
  }
  assertUsable(cluster, user, place);
  return { cluster: clusterNameOf(name), access: await accessOf({ name, cluster, user, subject: place }) };
}

/** Names of all contexts of a person's kubeconfigs. Throws Stop where there is none. */
export async function contextNames(files: readonly string[]): Promise<readonly string[]> {
  return (await readAll(files)).contexts.map(({ name }) => name);
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

/** A user with the file of its token, which the library knows by another name than kubectl. */
type LocalUser = User & { readonly tokenFile?: string };

interface LocalConfig {
  readonly current: string | undefined;
  readonly clusters: readonly Cluster[];
  readonly users: readonly LocalUser[];
  readonly contexts: readonly Context[];
}

/** Files that are not there are passed over, as long as one is. */
async function readAll(files: readonly string[]): Promise<LocalConfig> {
  const there = files.filter((file) => existsSync(file));
  if (there.length === 0) {
    const message = 'there is no such file; name yours with --kubeconfig or KUBECONFIG';
    throw new Stop({ subject: `kubeconfig ${files.join(', ')}`, message });
  }
  const configs = await Promise.all(there.map(readOne));
  return {
    current: configs.map(({ current }) => current).find(Boolean),
    clusters: firstOfEach(configs.flatMap(({ clusters }) => clusters)),
    users: firstOfEach(configs.flatMap(({ users }) => users)),
    contexts: firstOfEach(configs.flatMap(({ contexts }) => contexts)),
  };
}

async function readOne(file: string): Promise<LocalConfig> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw fileFault(`kubeconfig ${file}`, cause);
  });
  const absolute = (path: string | undefined) => (path ? { path: resolve(dirname(file), path) } : undefined);
  try {
    const config = load(text) as Json | undefined;
    if (!isJsonObject(config)) throw new Error('it is no map');
    const tokenFiles = tokenFilesIn(config['users']);
    const current = config['current-context'];
    return {
      current: typeof current === 'string' ? current : undefined,
      clusters: newClusters(config['clusters']).map((cluster) => {
        const ca = absolute(cluster.caFile);
        return ca === undefined ? cluster : { ...cluster, caFile: ca.path };
      }),
      users: newUsers(config['users']).map((user) => {
        const files = { certFile: absolute(user.certFile)?.path, keyFile: absolute(user.keyFile)?.path };
        const tokenFile = absolute(tokenFiles.get(user.name))?.path;
        return {
          ...user,
          ...(files.certFile !== undefined && { certFile: files.certFile }),
          ...(files.keyFile !== undefined && { keyFile: files.keyFile }),
          ...(tokenFile !== undefined && { tokenFile }),
        };
      }),
      contexts: newContexts(config['contexts']),
    };
  } catch {
    // The parser's own words may quote a token.
    throw new Stop({
      subject: `kubeconfig ${file}`,
      message: 'is not a kubeconfig; mend it, or name another',
    });
  }
}

function tokenFilesIn(users: Json | undefined): ReadonlyMap<string, string> {
  const list: readonly Json[] = Array.isArray(users) ? users : [];
  return new Map(
    list.flatMap((entry): [string, string][] => {
      const { name, user } = isJsonObject(entry) ? entry : {};
      const file = isJsonObject(user) ? user['tokenFile'] : undefined;
      return typeof name === 'string' && typeof file === 'string' ? [[name, file]] : [];
    }),
  );
}

function firstOfEach<T extends { readonly name: string }>(all: readonly T[]): readonly T[] {
  return all.filter(({ name }, at) => all.findIndex((one) => one.name === name) === at);
}

function assertUsable(cluster: Cluster, user: LocalUser, subject: string): void {
  const faults = [
    !cluster.server.startsWith('https://') && 'its server must be https://',
    cluster.skipTLSVerify &&
      'insecure-skip-tls-verify is not accepted: anybody on the way could read and change what is sent; give certificate-authority-data instead',
    cluster.proxyUrl !== undefined && 'proxy-url is not supported',
    user.username && 'user name and password are not supported: use a token or a certificate',
    user.authProvider && 'auth providers are not supported: use an exec plugin, a token or a certificate',
    user.impersonateUser &&
      'impersonation by the kubeconfig is not supported: say impersonate in an Application file (--application)',
  ].filter((fault) => typeof fault === 'string' && fault !== '');
  if (faults.length > 0) throw new Stop({ subject, message: faults.join('; ') });
}

interface Chosen {
  readonly name: string;
  readonly cluster: Cluster;
  readonly user: LocalUser;
  readonly subject: string;
}

async function accessOf(chosen: Chosen): Promise<ApiAccess> {
  const { name, cluster } = chosen;
  const exec = new ExecAuth();
  const first = await credentialsOf(chosen, exec);
  let known = { at: Date.now(), authorization: first.authorization };
  const authorization = async (fresh: boolean): Promise<string> => {
    if (fresh || Date.now() - known.at > tokenMaxAgeMs) {
      // A plugin remembers its token until it expires; one that was refused is asked for anew.
      const given = await credentialsOf(chosen, fresh ? new ExecAuth() : exec);
      known = { at: Date.now(), authorization: given.authorization };
    }
    return known.authorization ?? '';
  };
  const ca = await readEither(cluster.caFile, cluster.caData);
  const { cert, key } = first;
  return {
    cluster: name,
    server: cluster.server,
    ...(ca !== undefined && { ca }),
    ...(cluster.tlsServerName !== undefined && { serverName: cluster.tlsServerName }),
    ...(known.authorization !== undefined && { authorization }),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert, key } }),
  };
}

interface Credentials {
  readonly authorization: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What kubectl would send: runs the exec plugin, reads the files. */
async function credentialsOf({ user, subject }: Chosen, exec: ExecAuth): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    if (exec.isAuthProvider(user)) await exec.applyAuthentication(user, options);
    const token = user.tokenFile === undefined ? user.token : (await readFile(user.tokenFile, 'utf8')).trim();
    return {
      authorization: authorizationIn(options) ?? (token ? `Bearer ${token}` : undefined),
      cert: textOf(options.cert) ?? (await readEither(user.certFile, user.certData)),
      key: textOf(options.key) ?? (await readEither(user.keyFile, user.keyData)),
    };
  } catch (cause) {
    const command = isJsonObject(user.exec) ? user.exec['command'] : undefined;
    const what =
      typeof command !== 'string' ? 'its credentials cannot be read' : `its command ${command} failed`;
    const message = `${what}: ${messageOf(cause).trim()}; does kubectl work with it?`;
    throw new Blocked({ subject, message, cause });
  }
}

async function readEither(file: string | undefined, data: string | undefined): Promise<string | undefined> {
  if (file) return readFile(file, 'utf8');
  return data ? Buffer.from(data, 'base64').toString('utf8') : undefined;
}

function authorizationIn({ headers }: RequestOptions): string | undefined {
  const value = headers !== undefined && 'Authorization' in headers ? headers['Authorization'] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** An exec plugin gives certificates as text. */
function textOf(pem: RequestOptions['cert'] | RequestOptions['key']): string | undefined {
  return typeof pem === 'string' ? pem : undefined;
}
