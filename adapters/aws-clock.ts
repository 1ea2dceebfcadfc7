import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Clock } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** What one call to AWS tells of whoever makes it, and of the time there. */
export interface AwsGreeting {
  readonly account: string;
  readonly arn: string;
  /** Seconds that our clock is ahead; a header knows whole seconds only. Undefined where no time came back. */
  readonly ahead: number | undefined;
}

/** Who we are, and how far our clock is off. Throws Blocked for credentials that are not taken. */
export async function greetAws(clock: Pick<Clock, 'now'>): Promise<AwsGreeting> {
  const client = new STSClient(awsClient);
  let told: number | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
      told = Date.parse(headers?.['date'] ?? '');
      return result;
    },
    { step: 'deserialize', name: 'keepDate', priority: 'low' },
  );
  const asked = clock.now();
  try {
    const { Account: account = '', Arn: arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    const ours = (asked + clock.now()) / 2;
    // Half a second: the header is of when that second began.
    const ahead = told === undefined || Number.isNaN(told) ? undefined : (ours - told - 500) / 1000;
    return { account, arn, ahead };
  } catch (error) {
    throw awsFault({ subject: 'AWS STS', permission: 'sts:GetCallerIdentity' }, error);
  }
}
