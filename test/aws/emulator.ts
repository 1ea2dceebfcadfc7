import * as z from 'zod';
import type { LocalAws } from './local-aws.ts';

// What AWS itself or its network would do, done to the emulator through routes of ours (emulator/routes.py).

async function call(aws: LocalAws, method: string, route: string, body: unknown): Promise<string> {
  const response = await fetch(`${aws.endpoint}/_trueup/${route}`, { method, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`local AWS, ${method} ${route}: ${response.status} ${text}`);
  return text;
}

/** An address on this machine for a function URL; anything can call it, where the real one needs its Host header. */
export function localFunctionUrl(aws: LocalAws, functionUrl: string): string {
  const { hostname, pathname, search } = new URL(functionUrl);
  return `${aws.endpoint}/_trueup/function-url/${hostname.split('.')[0]}${pathname}${search}`;
}

/** Where DescribeCluster shall lead: a kube-apiserver and the PEM of the authority that signed its certificate. */
export interface EksCluster {
  endpoint: string;
  certificateAuthority: string;
  version?: string;
  tags?: Record<string, string>;
  /** Default: ACTIVE. */
  status?: string;
  /** Default: the emulator's own. */
  account?: string;
  region?: string;
  /** What its kube-apiserver has in the path of `tokenReviewUrl`. */
  authToken?: string;
}

/** Puts an EKS cluster into an account and region, or replaces the one of that name. */
export async function putEksCluster(aws: LocalAws, name: string, cluster: EksCluster): Promise<void> {
  const certificateAuthority = Buffer.from(cluster.certificateAuthority).toString('base64');
  await call(aws, 'PUT', `eks/${name}`, { ...cluster, certificateAuthority });
}

/** Where the kube-apiserver of such a cluster has tokens reviewed: by their signature, then by the access entries. */
export function tokenReviewUrl(
  aws: LocalAws,
  {
    account,
    region,
    name,
    authToken,
  }: Required<Pick<EksCluster, 'account' | 'region' | 'authToken'>> & { name: string },
): string {
  return `${aws.endpoint}/_trueup/eks-auth/${account}/${region}/${name}/${authToken}`;
}

const emittedSchema = z.object({ FailedEntryCount: z.literal(0) });

/** Emits an event on the default bus as an AWS service does; PutEvents refuses sources that start with `aws.`. */
export async function emitServiceEvent(
  aws: LocalAws,
  event: { source: `aws.${string}`; detailType: string; detail: unknown; resources?: readonly string[] },
): Promise<void> {
  const { source: Source, detailType: DetailType, resources: Resources = [] } = event;
  const entry = { Source, DetailType, Resources, Detail: JSON.stringify(event.detail) };
  emittedSchema.parse(JSON.parse(await call(aws, 'POST', 'events', { Entries: [entry] })));
}

const killedSchema = z.object({ killed: z.number() });

/** Kills a Lambda in the middle of what it does, as when its sandbox dies; tells how many invocations that ended. */
export async function killFunction(aws: LocalAws, functionName: string): Promise<number> {
  return killedSchema.parse(JSON.parse(await call(aws, 'POST', `kill/${functionName}`, {}))).killed;
}
