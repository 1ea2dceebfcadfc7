import { createHash } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Clock } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';

type Signing = ConstructorParameters<typeof SignatureV4>[0];

type Identity = Exclude<Signing['credentials'], (...args: never[]) => unknown>;

/** Who signs: our own IAM role. */
export interface CodeCommitSigning {
  readonly credentials: () => Promise<Identity>;
  readonly sha256: Signing['sha256'];
  readonly clock: Pick<Clock, 'now'>;
}

/** Credentials of the role that the function runs as, from where every AWS client takes them. */
export function roleSigning(): Omit<CodeCommitSigning, 'clock'> {
  const { credentials, sha256 } = new SecretsManagerClient(awsClient).config;
  return { credentials: () => credentials(), sha256 };
}

/**
 * `user:password` for the HTTPS endpoint of CodeCommit as git-remote-codecommit makes it: the signature of a request
 * that has the method GIT, no query and no body. Good for 15 minutes.
 */
export async function codeCommitCredentials(
  url: string,
  region: string,
  { credentials, sha256, clock }: CodeCommitSigning,
): Promise<string> {
  const { host, pathname } = new URL(url);
  const now = new Date(clock.now());
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+Z$/g, '');
  const request = `GIT\n${pathname}\n\nhost:${host}\n\nhost\n`;
  const digest = createHash('sha256').update(request).digest('hex');
  const scope = `${stamp.slice(0, 8)}/${region}/codecommit/aws4_request`;
  const identity = await credentials();
  const signer = new SignatureV4({ service: 'codecommit', region, credentials: identity, sha256 });
  const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${digest}`;
  const signature = await signer.sign(text, { signingDate: now });
  const { accessKeyId, sessionToken } = identity;
  const user = sessionToken === undefined ? accessKeyId : `${accessKeyId}%${sessionToken}`;
  return `${user}:${stamp}Z${signature}`;
}
