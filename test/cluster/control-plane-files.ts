import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import { auditPolicy, filesIn, webhookConfig } from './component-flags.ts';
import { type ClusterUser, kubeconfigText } from './kubeconfig.ts';

const run = promisify(execFile);

/** The identities that every control plane has; the first is the administrator. RBAC knows the others by these names. */
const ownUsers: readonly ClusterUser[] = [
  { name: 'admin', groups: ['system:masters'] },
  { name: 'system:kube-controller-manager', groups: [] },
  { name: 'system:kube-scheduler', groups: [] },
  // kwok writes Nodes, Pods and leases as all kubelets at once.
  { name: 'system:kwok', groups: ['system:masters'] },
];

/** A user with the bearer token that the server knows it by. */
export interface TokenUser extends ClusterUser {
  readonly token: string;
}

/** Writes what must be there before the first start, and returns the users with their tokens, the administrator first. */
export async function writeFiles(
  dir: string,
  binaries: Binaries,
  people: readonly ClusterUser[],
  policy: object = auditPolicy,
): Promise<TokenUser[]> {
  const files = filesIn(dir);
  await mkdir(files.certificates, { recursive: true, mode: 0o700 });
  const users = [...ownUsers, ...people].map((user) => ({ ...user, token: randomBytes(16).toString('hex') }));
  const rows = users.map(
    ({ name, groups, token }, index) => `${token},${name},${index},"${groups.join(',')}"\n`,
  );
  await writeFile(files.tokens, rows.join(''), { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(files.serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(files.auditPolicy, JSON.stringify(policy));
  const kwok = binaries.commands.kwok;
  if (kwok !== undefined) await writeFile(files.stages, (await run(kwok[0], ['kwok-stages'])).stdout);
  return users;
}

/** Writes the token webhook's configuration and returns its path. */
export async function writeWebhookConfig(dir: string, url: string, caFile?: string): Promise<string> {
  const path = `${dir}/token-webhook.json`;
  await writeFile(path, JSON.stringify(webhookConfig(url, caFile)));
  return path;
}

/**
 * The authority that signed the serving certificate, as PEM. kube-apiserver makes one in memory at its first start and
 * appends its certificate to its own. Throws while the server has not written both.
 */
export async function authorityIn(dir: string): Promise<string> {
  const chain = await readFile(filesIn(dir).servingCertificate, 'utf8');
  const [, authority] = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  if (authority === undefined) throw new Error(`${filesIn(dir).servingCertificate} holds no authority yet`);
  return authority;
}

/** Everything about a running API server that its clients must know. */
export interface Access {
  readonly cluster: string;
  readonly server: string;
  readonly caData: string;
  readonly users: readonly TokenUser[];
}

/** Writes the authority and the kubeconfigs: one for people, with every user in it, and one for each part. */
export async function writeAccess(dir: string, access: Access): Promise<string> {
  const files = filesIn(dir);
  await writeFile(files.authority, Buffer.from(access.caData, 'base64'));
  const parts = access.users.filter(({ name }) => name.startsWith('system:'));
  for (const user of parts) {
    const path = files.kubeconfigOf(user.name.slice('system:'.length));
    await writeFile(path, kubeconfigText({ ...access, users: [user] }), { mode: 0o600 });
  }
  const kubeconfig = kubeconfigText({
    ...access,
    users: access.users.filter((user) => !parts.includes(user)),
  });
  await writeFile(files.kubeconfig, kubeconfig, { mode: 0o600 });
  return kubeconfig;
}
