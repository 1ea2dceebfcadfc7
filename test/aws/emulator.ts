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
}

/** Puts an ACTIVE EKS cluster into the account, or replaces the one of that name. */
export async function putEksCluster(aws: LocalAws, name: string, cluster: EksCluster): Promise<void> {
  const certificateAuthority = Buffer.from(cluster.certificateAuthority).toString('base64');
  await call(aws, 'PUT', `eks/${name}`, { ...cluster, certificateAuthority });
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
