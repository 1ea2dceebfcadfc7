import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';

/** What the authenticator of one EKS cluster knows. */
export interface Authority {
  readonly clusterName: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A running authenticator; `refusals` are its reasons, newest last. */
export interface TokenAuthenticator {
  readonly url: string;
  readonly refusals: readonly string[];
  readonly close: () => void;
}

/**
 * Plays the authenticator of EKS and the STS behind it: kube-apiserver asks it about each token (TokenReview). It
 * computes the signature anew with the official SDK, for the cluster that it guards, and compares.
 */
export async function startTokenAuthenticator(authority: Authority): Promise<TokenAuthenticator> {
  const refusals: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const status = await review(request, authority);
    if (!status.authenticated) refusals.push(status.error);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/authenticate`, refusals, close };
}

type Status =
  | { readonly authenticated: true; readonly user: { readonly username: string; readonly groups: string[] } }
  | { readonly authenticated: false; readonly error: string };

async function review(request: IncomingMessage, authority: Authority): Promise<Status> {
  const { spec } = JSON.parse(await text(request)) as { readonly spec: { readonly token: string } };
  const error = await faultOf(spec.token, authority);
  if (error !== undefined) return { authenticated: false, error };
  return {
    authenticated: true,
    user: { username: 'arn:aws:iam::111122223333:role/trueup', groups: ['trueup'] },
  };
}

/** Why a token is not accepted. */
async function faultOf(
  token: string,
  { clusterName, region, credentials }: Authority,
): Promise<string | undefined> {
  if (!token.startsWith('k8s-aws-v1.')) return 'not a token of EKS';
  const url = new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());
  if (url.origin !== `https://sts.${region}.amazonaws.com`) return `host ${url.host}`;
  const given = url.searchParams;
  if (given.get('Action') !== 'GetCallerIdentity') return 'another action';
  const [, year, month, day, time] =
    /^(\d{4})(\d\d)(\d\d)T(\d{6})Z$/.exec(given.get('X-Amz-Date') ?? '') ?? [];
  const signed = Date.parse(`${year}-${month}-${day}T${time?.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
  const lifetime = Number(given.get('X-Amz-Expires')) * 1000;
  if (!(lifetime <= 60_000) || !(Date.now() <= signed + lifetime)) return 'expired';
  if (!given.get('X-Amz-SignedHeaders')?.split(';').includes('x-k8s-aws-id'))
    return 'x-k8s-aws-id is not signed';
  const { sha256 } = new STSClient({ region, credentials }).config;
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256 });
  const expected = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: url.host,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: url.host, 'x-k8s-aws-id': clusterName },
    },
    { expiresIn: 60, signingDate: new Date(signed) },
  );
  return expected.query?.['X-Amz-Signature'] === given.get('X-Amz-Signature') ? undefined : 'signature';
}
