import { createHash, X509Certificate } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import type { TrustMaterial } from '@sigstore/verify';
import type { Signature } from '../core/model/commit.ts';
import { ProtoMessage } from './proto-message.ts';
import { shownIdentity, verifyBundle, type SignerIdentity } from './sigstore-bundle.ts';
import { refused } from './verify-policy.ts';

const oids = {
  signedData: '1.2.840.113549.1.7.2',
  messageDigest: '1.2.840.113549.1.9.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  rekorEntry: '1.3.6.1.4.1.57264.3.1',
} as const;
const setTag = 0x31;

/**
 * Verifies a signature of gitsign (CMS, RFC 5652) over a payload, from the configured trust alone: the certificate and
 * its SCT, the entry of the transparency log that the signature brings along, which proves the time, and the identity.
 */
export function verifyGitsign(
  payload: Uint8Array,
  armored: string,
  trust: TrustMaterial,
  identities: readonly SignerIdentity[],
): Signature {
  let parts: SignerParts | string;
  try {
    parts = partsOf(armored);
  } catch {
    return refused('its gitsign signature cannot be read');
  }
  if (typeof parts === 'string') return refused(parts);
  // The verifier knows only what the attributes say was signed; that it is this commit is ours to see.
  if (!parts.digest.equals(createHash('sha256').update(payload).digest())) {
    return refused('its gitsign signature does not fit this commit');
  }
  const { certificate, attributes, signature } = parts;
  let verdict: ReturnType<typeof verifyBundle>;
  let shown: string;
  try {
    shown = shownIdentity(certificate);
    verdict = verifyBundle(bundleOf(parts), attributes, trust, identities);
  } catch {
    return refused('its gitsign signature cannot be read');
  }
  if (verdict.kind === 'untrusted') {
    const { words } = verdict;
    return refused(`its gitsign signature, with a certificate for ${shown}, is not trusted (${words})`);
  }
  const { kind, signer } = verdict;
  if (kind === 'stranger' || signature.length === 0) {
    return refused(`it is signed by ${signer}, who is not on the list`);
  }
  return { verdict: 'good', scheme: 'gitsign', signer };
}

interface SignerParts {
  /** DER. */
  readonly certificate: Buffer;
  /** What was signed: the attributes as a SET, DER. */
  readonly attributes: Buffer;
  /** SHA-256 of the content, as the attributes name it. */
  readonly digest: Buffer;
  readonly signature: Buffer;
  /** The entry of the transparency log, a protobuf message. */
  readonly entry: Buffer;
}

/** Throws where the structure is another one. */
function partsOf(armored: string): SignerParts | string {
  const [, body = ''] =
    /-----BEGIN SIGNED MESSAGE-----([^-]*)-----END SIGNED MESSAGE-----/.exec(armored) ?? [];
  const content = ASN1Obj.parseBuffer(Buffer.from(body, 'base64'));
  if (at(content, 0).toOID() !== oids.signedData) return 'its signature is no CMS signature';
  const signedData = at(at(content, 1), 0);
  const signers = at(signedData, signedData.subs.length - 1);
  if (signers.subs.length !== 1) return 'it has several gitsign signatures, and one is looked at';
  const signer = at(signers, 0);
  if (at(at(signer, 2), 0).toOID() !== oids.sha256)
    return 'its gitsign signature uses another hash than SHA-256';
  const signed = tagged(signer, 0);
  const unsigned = signer.subs.find((sub) => sub.tag.isContextSpecific(1));
  const entry = unsigned === undefined ? undefined : attribute(unsigned, oids.rekorEntry);
  if (entry === undefined) {
    return 'its gitsign signature brings no entry of the transparency log along; sign with gitsign.rekorMode=offline';
  }
  const digest = attribute(signed, oids.messageDigest);
  if (digest === undefined) return 'its gitsign signature names no digest';
  const attributes = signed.toDER();
  attributes[0] = setTag;
  const signature = signer.subs.findLast((sub) => sub.tag.isOctetString());
  if (signature === undefined) return 'its gitsign signature is empty';
  return { certificate: leafOf(signedData, signer), attributes, digest, signature: signature.value, entry };
}

/** The certificate that the signer names by its serial number. */
function leafOf(signedData: ASN1Obj, signer: ASN1Obj): Buffer {
  const serial = at(at(signer, 1), 1).toInteger();
  const found = tagged(signedData, 0).subs.map((certificate) => certificate.toDER());
  const leaf = found.find((der) => BigInt(`0x${new X509Certificate(der).serialNumber}`) === serial);
  if (leaf === undefined) throw new Error('no certificate of the signer');
  return leaf;
}

/** Value of an attribute that must have exactly one. */
function attribute(attributes: ASN1Obj, oid: string): Buffer | undefined {
  const found = attributes.subs.filter((one) => at(one, 0).toOID() === oid);
  const [only] = found;
  if (only === undefined) return undefined;
  const values = at(only, 1).subs;
  if (found.length > 1 || values.length !== 1) throw new Error('an attribute stands there twice');
  return at(at(only, 1), 0).value;
}

function at(parent: ASN1Obj, index: number): ASN1Obj {
  const sub = parent.subs[index];
  if (sub === undefined) throw new Error('the structure ends early');
  return sub;
}

function tagged(parent: ASN1Obj, number: number): ASN1Obj {
  const sub = parent.subs.find((one) => one.tag.isContextSpecific(number));
  if (sub === undefined) throw new Error('a part is missing');
  return sub;
}

/** The same as a bundle, which the verifier reads; the body of the log's entry is made anew from what it must say. */
function bundleOf({ certificate, attributes, signature, entry }: SignerParts): unknown {
  const digest = createHash('sha256').update(attributes).digest();
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate.toString('base64') }] },
      tlogEntries: [{ ...entryOf(entry), canonicalizedBody: bodyOf(certificate, digest, signature) }],
    },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: digest.toString('base64') },
      signature: signature.toString('base64'),
    },
  };
}

/** dev.sigstore.rekor.v1.TransparencyLogEntry; gitsign leaves its body out. */
function entryOf(bytes: Buffer): object {
  const entry = new ProtoMessage(bytes);
  const proof = entry.message(6);
  return {
    logIndex: entry.integer(1),
    logId: { keyId: entry.message(2)?.base64(1) },
    kindVersion: { kind: entry.message(3)?.text(1), version: entry.message(3)?.text(2) },
    integratedTime: entry.integer(4),
    inclusionPromise: { signedEntryTimestamp: entry.message(5)?.base64(1) },
    ...(proof === undefined
      ? {}
      : {
          inclusionProof: {
            logIndex: proof.integer(1),
            rootHash: proof.base64(2),
            treeSize: proof.integer(3),
            hashes: proof.all(4).map((hash) => hash.toString('base64')),
            checkpoint: { envelope: proof.message(5)?.text(1) },
          },
        }),
  };
}

/** Canonical JSON of a `hashedrekord` 0.0.1: no spaces, members in the order of the alphabet. */
function bodyOf(certificate: Buffer, digest: Buffer, signature: Buffer): string {
  const pem = new X509Certificate(certificate).toString();
  const body = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: Buffer.from(pem).toString('base64') },
      },
    },
  };
  return Buffer.from(JSON.stringify(body)).toString('base64');
}
