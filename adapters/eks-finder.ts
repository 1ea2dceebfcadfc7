import { EKSClient, ResourceNotFoundException, paginateListClusters } from '@aws-sdk/client-eks';
import { Blocked, Retry, messageOf } from '../core/errors.ts';
import type { ClusterFinder, EksCluster, EksListing } from '../core/ports.ts';
import type { AssumedRoles } from './assumed-roles.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';
import { describeCluster } from './eks.ts';

const describedAtOnce = 8;
/** EKS throttles an account soon, and a thousand clusters are a thousand requests: the client slows down as it is told. */
const patient = { ...awsClient, retryMode: 'adaptive', maxAttempts: 6 };

/** Lists the EKS clusters of an account and region, with their tags. */
export class EksFinder implements ClusterFinder {
  readonly #roles: AssumedRoles;

  constructor(roles: AssumedRoles) {
    this.#roles = roles;
  }

  async list(where: Parameters<ClusterFinder['list']>[0]): Promise<EksListing> {
    const region = where.region === undefined ? {} : { region: where.region };
    const client = new EKSClient({ ...patient, ...region, ...this.#roles.of(where) });
    try {
      return await describeAll(await namesOf(client), client);
    } finally {
      client.destroy();
    }
  }
}

async function namesOf(client: EKSClient): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { clusters = [] } of paginateListClusters({ client }, {})) names.push(...clusters);
  } catch (error) {
    // Of the role that was to be taken on.
    if (error instanceof Blocked || error instanceof Retry) throw error;
    const subject = `EKS clusters in ${await client.config.region()}`;
    throw awsFault({ subject, permission: 'eks:ListClusters' }, error);
  }
  return names;
}

/** After one that AWS has no time for no other is asked for: throttling would only grow. */
async function describeAll(names: readonly string[], client: EKSClient): Promise<EksListing> {
  const region = await client.config.region();
  const clusters: EksCluster[] = [];
  const unread: string[] = [];
  let reason: string | undefined;
  let isBusy = false;
  for (let from = 0; from < names.length; from += describedAtOnce) {
    const some = names.slice(from, from + describedAtOnce);
    if (isBusy) {
      unread.push(...some);
      continue;
    }
    const look = async (name: string): Promise<void> => {
      const found = await describeOne(name, client, `EKS cluster ${name} in ${region}`);
      if (found === 'gone') return;
      if (!('why' in found)) return void clusters.push(found);
      unread.push(name);
      isBusy ||= found.isBusy;
      reason ??= found.why;
    };
    await Promise.all(some.map(look));
  }
  return { clusters, unread: reason === undefined ? undefined : { names: unread, reason } };
}

/** `why` it could not be described; `gone`: it was deleted since it was listed. */
interface Undescribed {
  readonly why: string;
  readonly isBusy: boolean;
}

async function describeOne(
  name: string,
  client: EKSClient,
  subject: string,
): Promise<EksCluster | Undescribed | 'gone'> {
  try {
    const { arn, tags = {}, version, status } = await describeCluster(name, client, subject);
    if (arn === undefined) return { why: `${subject}: AWS tells no ARN of it`, isBusy: false };
    const words = { ...(version !== undefined && { version }), ...(status !== undefined && { status }) };
    return { name, arn, tags, ...words };
  } catch (error) {
    if (error instanceof Blocked && error.cause instanceof ResourceNotFoundException) return 'gone';
    if (error instanceof Blocked || error instanceof Retry)
      return { why: messageOf(error), isBusy: error instanceof Retry };
    throw error;
  }
}
