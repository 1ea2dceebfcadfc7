import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { hasSecretPath, type HookProvider } from '../../core/contract/hooks.ts';
import type { HookRequest } from '../../core/receive/hook-request.ts';

/** What a provider would send, before it is signed. */
export interface Unsigned {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly secret: string;
  readonly sourceIp?: string;
  /** Id of the hook in the route; default none. */
  readonly hook?: string;
  /** Seconds since the epoch that are signed, where a time is. */
  readonly at?: number;
}

/** A request of a provider, proven as that provider does it. Written from its documentation, not from our verifier. */
export function signed(provider: HookProvider, message: Unsigned): HookRequest {
  const body = Buffer.from(message.body);
  const id = message.hook === undefined ? '' : `/${message.hook}`;
  const isPath = hasSecretPath({ provider });
  return {
    method: 'POST',
    path: `/hooks/${provider}${id}${isPath ? `/${message.secret}` : ''}`,
    headers: {
      'content-type': 'application/json',
      ...message.headers,
      ...proofOf(provider, body, message),
    },
    body,
    text: body.toString('utf8'),
    sourceIp: message.sourceIp ?? '192.0.2.1',
  };
}

function proofOf(provider: HookProvider, body: Buffer, message: Unsigned): Record<string, string> {
  const { secret, hook } = message;
  const hex = (algorithm: string, bytes: Uint8Array = body) =>
    createHmac(algorithm, secret).update(bytes).digest('hex');
  switch (provider) {
    case 'github':
    case 'ghcr':
      return { 'x-hub-signature': `sha1=${hex('sha1')}`, 'x-hub-signature-256': `sha256=${hex('sha256')}` };
    case 'gitlab':
      return secret.startsWith('whsec_') ? standard(body, message) : { 'x-gitlab-token': secret };
    case 'generic':
      return secret.startsWith('whsec_')
        ? standard(body, message)
        : { 'x-signature': `sha256=${hex('sha256')}` };
    case 'bitbucket':
    case 'bitbucket-data-center':
      return { 'x-hub-signature': `sha256=${hex('sha256')}` };
    case 'gitea':
      return {
        'x-gitea-signature': hex('sha256'),
        'x-gogs-signature': hex('sha256'),
        'x-hub-signature-256': `sha256=${hex('sha256')}`,
      };
    case 'forgejo':
      return { 'x-forgejo-signature': hex('sha256'), 'x-gitea-signature': hex('sha256') };
    case 'azure-devops':
      return { authorization: `Basic ${Buffer.from(`trueup:${secret}`).toString('base64')}` };
    case 'oidc':
    case 'gcr':
      return { authorization: `Bearer ${secret}` };
    case 'harbor':
      return { authorization: secret };
    case 'distribution':
    case 'acr':
      return { authorization: `Bearer ${secret}` };
    case 'nexus':
      return { 'x-nexus-webhook-signature': hex('sha1', minified(body)) };
    case 'jfrog':
      return { 'x-jfrog-event-auth': hook === 'token' ? secret : hex('sha256') };
    case 'docker-hub':
    case 'quay':
    case 'cdevents':
      break;
  }
  return {};
}

function minified(body: Buffer): Buffer {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(body.toString())));
  } catch {
    return body;
  }
}

/** Signed by the reference library of Standard Webhooks. */
function standard(body: Buffer, { secret, headers, at = 0 }: Unsigned): Record<string, string> {
  const id = headers?.['webhook-id'] ?? 'msg_1';
  const signature = new Webhook(secret).sign(id, new Date(at * 1000), body);
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': signature };
}
