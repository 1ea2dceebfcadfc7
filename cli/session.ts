import type { S3Client } from '@aws-sdk/client-s3';
import { awsClient } from '../adapters/aws-client.ts';
import { awsFault } from '../adapters/aws-fault.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { outputs } from '../core/contract/environment.ts';
import type { Bus, Clock, Ids, Queues, Store } from '../core/ports.ts';
import { CliError } from './cli-error.ts';

/** One installation as a verb sees it. */
export interface Session {
  readonly store: Store;
  readonly queues: Pick<Queues, 'run' | 'sweep'>;
  /** Publishing takes a right of its own (`events:PutEvents`), which few verbs need. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Who is at the terminal, as AWS knows them: an IAM user or role. */
  readonly whoAmI: () => Promise<string>;
}

/**
 * Finds an installation by the outputs of its CloudFormation stack, with the AWS credentials and region of the
 * environment. AWS_ENDPOINT_URL makes it speak to a local AWS. Throws CliError with what to do.
 */
export async function openSession(stack: string): Promise<Session> {
  const output = await openOutputs(stack);
  const ids = new SystemIds();
  const urls = { runQueue: output('runQueue'), sweepQueue: output('sweepQueue') };
  return {
    store: new S3Store(output('bucket'), await s3Client()),
    queues: new SqsQueues(urls, ids),
    bus: busOf(() => output('bus')),
    clock: new SystemClock(),
    ids,
    whoAmI,
  };
}

/** Asked for when it is needed, which few verbs do. */
function busOf(name: () => string): Bus {
  return {
    publish: async (events) => {
      const { EventBridgeBus } = await import('../adapters/eventbridge-bus.ts');
      await new EventBridgeBus(name()).publish(events);
    },
  };
}

/** A client of S3 for the AWS of the environment. */
export async function s3Client(): Promise<S3Client> {
  const sdk = await import('@aws-sdk/client-s3');
  // A local AWS knows its buckets by path, not by host name.
  const forcePathStyle = process.env['AWS_ENDPOINT_URL'] !== undefined;
  return new sdk.S3Client({ ...awsClient, forcePathStyle });
}

/** The outputs of an installation's stack, by our names for them. Throws CliError where one is not there. */
export async function openOutputs(stack: string): Promise<(name: keyof typeof outputs) => string> {
  const values = await stackOutputs(stack);
  return (name) => {
    const value = values.get(outputs[name]);
    if (value !== undefined) return value;
    throw new CliError(
      `The stack ${stack} has no output ${outputs[name]}: it is not trueup's, or older than this command. Name another with --stack, or deploy it again.`,
    );
  };
}

/** Names of the networks that clusters of an installation are in. */
export async function networksOf(stack: string): Promise<readonly string[]> {
  const { stackConfigAt } = await import('../adapters/stack-config.ts');
  const output = await openOutputs(stack);
  const { clusters } = await stackConfigAt(output('config'), await s3Client())();
  return [...new Set(clusters.flatMap(({ network }) => network ?? []))];
}

async function stackOutputs(stack: string): Promise<ReadonlyMap<string, string>> {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient(awsClient);
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const pairs = (Stacks?.[0]?.Outputs ?? []).map(
      ({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? ''] as const,
    );
    return new Map(pairs);
  } catch (cause) {
    throw new CliError(adviceFor(stack, cause), { cause });
  }
}

/** What to do about a first call to AWS that failed; credentials and region come out here and nowhere else. */
function adviceFor(stack: string, error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'ValidationError' && message.includes('does not exist')) {
    return `There is no CloudFormation stack ${stack} in this account and region. Name yours with --stack, choose the region with AWS_REGION, or deploy it first (npx cdk deploy).`;
  }
  if (/region/i.test(message) && /missing|not set|required/i.test(message)) {
    return 'No AWS region is set. Set AWS_REGION to the region that trueup is deployed in.';
  }
  if (name === 'CredentialsProviderError') {
    const profile = process.env['AWS_PROFILE'];
    const where = profile === undefined ? '' : ` for AWS_PROFILE=${profile}`;
    return `No AWS credentials were found${where}. Log in (aws sso login), or set AWS_PROFILE to a profile that has some.`;
  }
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch)/.test(name)) {
    return `AWS does not accept these credentials (${name}). Log in again.`;
  }
  if (name === 'AccessDenied' || name === 'AccessDeniedException') {
    return `These credentials may not read the stack ${stack}. Allow cloudformation:DescribeStacks, or use others (AWS_PROFILE).`;
  }
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  const where = endpoint === undefined ? 'AWS' : `the AWS at AWS_ENDPOINT_URL=${endpoint}`;
  const region = process.env['AWS_REGION'];
  const advice =
    endpoint !== undefined
      ? 'See that it runs there'
      : `Check the network${region === undefined ? '' : `, and whether AWS_REGION=${region} is meant`}`;
  return `Cannot ask ${where} about the stack ${stack}: ${name}: ${message}. ${advice}.`;
}

async function whoAmI(): Promise<string> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  try {
    const { Arn } = await new STSClient(awsClient).send(new GetCallerIdentityCommand({}));
    return Arn ?? 'unknown';
  } catch (error) {
    throw awsFault({ subject: 'AWS STS', permission: 'sts:GetCallerIdentity' }, error);
  }
}
