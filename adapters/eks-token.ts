import { SignatureV4 } from '@smithy/signature-v4';
import { awsDomain } from '../core/contract/aws-domain.ts';
import type { Clock } from '../core/ports.ts';

type Signing = ConstructorParameters<typeof SignatureV4>[0];

/** Who signs, and for which cluster. */
export interface EksTokenSource {
  /** Name of the EKS cluster; it is signed, so that a token for one opens no other. */
  readonly clusterName: string;
  readonly region: string;
  readonly credentials: Signing['credentials'];
  readonly sha256: Signing['sha256'];
  readonly clock: Pick<Clock, 'now'>;
}

const validSeconds = 60;
/** A token is not used in its last seconds: a request may wait, and clocks differ. */
const spareSeconds = 15;

/**
 * Tokens as `aws eks get-token` makes them: a presigned STS GetCallerIdentity, which the cluster's authenticator sends
 * to STS to learn who signed it. Kept in memory until near their expiry; `fresh` asks for a new one.
 */
export function eksTokens(source: EksTokenSource): (fresh: boolean) => Promise<string> {
  const { region, credentials, sha256, clock, clusterName } = source;
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256 });
  const hostname = `sts.${region}.${awsDomain(region)}`;
  let cached: { readonly token: Promise<string>; readonly until: number } | undefined;
  const sign = async (now: number): Promise<string> => {
    const request = {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': clusterName },
    };
    const { query } = await signer.presign(request, {
      signingDate: new Date(now),
      expiresIn: validSeconds,
    });
    const url = `https://${hostname}/?${queryText(query ?? {})}`;
    return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
  };
  return async (fresh) => {
    const now = clock.now();
    if (fresh || cached === undefined || now >= cached.until) {
      cached = { token: sign(now), until: now + (validSeconds - spareSeconds) * 1000 };
    }
    const current = cached;
    try {
      return await current.token;
    } catch (error) {
      // No credentials just now: the next request must ask again.
      if (cached === current) cached = undefined;
      throw error;
    }
  };
}

function queryText(query: Readonly<Record<string, string | readonly string[] | null>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value ?? ''))}`)
    .join('&');
}
