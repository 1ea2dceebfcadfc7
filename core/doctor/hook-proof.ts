import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import type { Signer } from '../ports.ts';
import type { Verification } from '../receive/provider.ts';

/** What is added to a request so that it is believed. */
export interface HookProof {
  readonly headers: Readonly<Record<string, string>>;
  /** Behind the path of the hook. */
  readonly pathEnd: string;
}

/** The proof that a sender with this secret would give; undefined where it takes more than a secret. */
export function hookProof(
  verification: Verification,
  secret: string,
  body: string,
  signer: Pick<Signer, 'hmac'>,
): HookProof | undefined {
  switch (verification.kind) {
    case 'hmac': {
      const { algorithm, header, prefix } = verification;
      const digest = bytesToHex(signer.hmac(algorithm, secret, utf8ToBytes(body)));
      return { headers: { [header]: `${prefix}${digest}` }, pathEnd: '' };
    }
    case 'token':
      return { headers: { [verification.header]: secret }, pathEnd: '' };
    case 'basic': {
      const given = base64.encode(utf8ToBytes(`trueup:${secret}`));
      return { headers: { authorization: `Basic ${given}` }, pathEnd: '' };
    }
    case 'path':
      return { headers: {}, pathEnd: `/${secret}` };
    case 'standard':
      return secret.startsWith('whsec_')
        ? undefined
        : hookProof(verification.otherwise, secret, body, signer);
    case 'oidc':
      break;
  }
  return undefined;
}
