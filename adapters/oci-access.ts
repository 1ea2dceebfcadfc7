import { Blocked } from '../core/errors.ts';
import type { Secrets } from '../core/ports.ts';
import { ecrRegion, type EcrCredentials } from './ecr-credentials.ts';
import type { Reach } from './guarded-fetch.ts';
import { OciRepository } from './oci-registry.ts';

/** Where well-known registries keep their layers, and who gives out their tokens. */
const companions: Readonly<Record<string, readonly string[]>> = {
  'ghcr.io': ['pkg-containers.githubusercontent.com'],
  'registry-1.docker.io': [
    'auth.docker.io',
    'production.cloudflare.docker.com',
    'docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com',
  ],
  'quay.io': ['*.quay.io'],
  'public.ecr.aws': ['*.cloudfront.net'],
};

const loopback = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

/** What the stack configuration says of a host that is fetched from. */
export interface DeclaredHost {
  /** https:// or oci:// */
  readonly url: string;
  /** Secrets Manager name of USER:PASSWORD. */
  readonly secret?: string;
  readonly hosts: readonly string[];
  readonly internal: boolean;
}

export interface HostCredentials {
  readonly secrets: Pick<Secrets, 'get'>;
  readonly ecr: Pick<EcrCredentials, 'basic'>;
}

/** Where requests to it may lead. `subject`: what faults are told about. */
export function reachOf({ url, hosts, internal }: DeclaredHost, subject: string): Reach {
  const { host, hostname } = new URL(url.replace(/^oci:/, 'https:'));
  const region = ecrRegion(host);
  const layers =
    region === undefined ? [] : [`prod-${region}-starport-layer-bucket.s3.${region}.amazonaws.com`];
  return {
    subject,
    hosts: [host, ...hosts, ...(companions[host] ?? []), ...layers],
    internal: internal || loopback.test(hostname),
  };
}

/** `Basic …` of its secret, or for ECR of our own role; undefined where it is public. Throws Blocked, naming `subject`. */
export async function basicOf(
  { secret }: Pick<DeclaredHost, 'secret'>,
  host: string,
  { secrets, ecr }: HostCredentials,
  subject: string,
): Promise<string | undefined> {
  const region = ecrRegion(host);
  if (secret === undefined) return region === undefined ? undefined : ecr.basic(region);
  const { current } = await secrets.get(secret);
  if (current.includes(':')) return `Basic ${Buffer.from(current.trim()).toString('base64')}`;
  throw new Blocked({ subject, message: `want USER:PASSWORD in the secret ${secret}, and it has no colon` });
}

/** One repository of a registry. `host` with its port; `name` without a slash at either end. */
export async function openRegistry(
  { host, name }: { readonly host: string; readonly name: string },
  declared: DeclaredHost,
  credentials: HostCredentials,
  subject: string,
): Promise<OciRepository> {
  const isLoopback = loopback.test(new URL(`https://${host}`).hostname);
  return new OciRepository({
    origin: `${isLoopback ? 'http' : 'https'}://${host}`,
    name,
    reach: reachOf(declared, subject),
    basic: await basicOf(declared, host, credentials, subject),
    secret: declared.secret,
  });
}
