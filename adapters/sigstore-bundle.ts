import { X509Certificate } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { PolicyError, Verifier, toSignedEntity, toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import * as z from 'zod';

/** Who may sign, as Fulcio certified it. */
export interface SignerIdentity {
  readonly issuer: string;
  readonly identity: string;
}

/** What came of a bundle; `signer` is who signed, as `identity (issuer)`. */
export type BundleVerdict =
  | { readonly kind: 'good' | 'stranger'; readonly signer: string }
  /** Why, in the words of the verifier. */
  | { readonly kind: 'untrusted'; readonly words: string };

const rootSchema = z.looseObject({
  tlogs: z.array(z.unknown()).min(1),
  certificateAuthorities: z.array(z.unknown()).min(1),
  ctlogs: z.array(z.unknown()).min(1),
});

/** Trust in certificate authorities and logs, of a `trusted_root.json` as Sigstore publishes it. Throws an Error for another text. */
export function parseTrustedRoot(text: string): TrustMaterial {
  return toTrustMaterial(TrustedRoot.fromJSON(rootSchema.parse(JSON.parse(text))));
}

/**
 * Verifies a bundle of Sigstore from the configured trust alone: the certificate and its SCT, the entry of the transparency
 * log, which proves the time, the signature, and the identity. `artifact`: what was signed, where the bundle does not hold it.
 */
export function verifyBundle(
  bundle: unknown,
  artifact: Buffer | undefined,
  trust: TrustMaterial,
  identities: readonly SignerIdentity[],
): BundleVerdict {
  try {
    const entity = toSignedEntity(bundleFromJSON(bundle), artifact);
    const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
    const signer = new Verifier(trust, thresholds).verify(entity);
    const { subjectAlternativeName: identity, extensions } = signer.identity ?? {};
    const issuer = extensions?.issuer;
    const isKnown = identities.some((one) => one.identity === identity && one.issuer === issuer);
    const shown = `${identity ?? 'nobody'} (${issuer ?? 'no issuer'})`;
    return { kind: isKnown ? 'good' : 'stranger', signer: shown };
  } catch (error) {
    const isPlain = error instanceof Error && !(error instanceof PolicyError);
    return { kind: 'untrusted', words: isPlain ? error.message.slice(0, 200) : 'policy' };
  }
}

/** For whom a certificate (DER, or PEM) says that it is. */
export function shownIdentity(certificate: Buffer | string): string {
  return new X509Certificate(certificate).subjectAltName?.slice(0, 200) ?? 'nobody';
}
