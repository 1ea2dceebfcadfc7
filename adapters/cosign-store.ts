import { createHash, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { OciDescriptor, OciRepository } from './oci-registry.ts';

/** One signature of cosign, as it lies beside an artifact; nothing of it was verified. */
export interface ArtifactSignature {
  /** What is signed, which names the artifact. */
  readonly payload: Buffer;
  /** Of a DSSE envelope, which is signed with its type; absent where the payload itself is. */
  readonly payloadType?: string;
  readonly signature: Buffer;
  /** The same as a bundle of Sigstore, where there is a certificate. */
  readonly bundle?: unknown;
}

type Registry = Pick<OciRepository, 'find' | 'blob' | 'referrers'>;

const simpleType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const mostSignatures = 50;
const payloadBytes = 64 * 1024;
const bundleBytes = 1024 * 1024;

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const bundleSchema = z.object({
  verificationMaterial: z.looseObject({}),
  dsseEnvelope: z.object({
    payload: base64,
    payloadType: z.string(),
    signatures: z.tuple([z.object({ sig: base64 })]),
  }),
});
const rekorSchema = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({
    body: z.string(),
    integratedTime: z.number(),
    logIndex: z.number(),
    logID: z.string(),
  }),
});
const bodySchema = z.object({ kind: z.string(), apiVersion: z.string() });

/** Every signature of an artifact: under the tag that cosign gave them until its version 2, and as bundles that refer to it. */
export async function cosignSignatures(registry: Registry, digest: string): Promise<ArtifactSignature[]> {
  const signatures: ArtifactSignature[] = [];
  const tagged = await registry.find(`${digest.replace(':', '-')}.sig`);
  for (const layer of (tagged?.layers ?? []).slice(0, mostSignatures)) {
    const text = layer.annotations?.['dev.cosignproject.cosign/signature'];
    if (layer.mediaType !== simpleType || text === undefined) continue;
    const payload = Buffer.from(await registry.blob(layer, payloadBytes));
    const signature = Buffer.from(text, 'base64');
    const bundle = bundleOf(layer, payload, signature);
    signatures.push({ payload, signature, ...(bundle !== undefined && { bundle }) });
  }
  for (const referrer of (await registry.referrers(digest, bundleType)).slice(0, mostSignatures)) {
    const [layer] = (await registry.find(referrer))?.layers ?? [];
    if (layer?.mediaType !== bundleType) continue;
    const read = envelopeOf(await registry.blob(layer, bundleBytes));
    if (read !== undefined) signatures.push(read);
  }
  return signatures;
}

/** Undefined for what holds no statement of in-toto, signed once. */
function envelopeOf(bytes: Uint8Array): ArtifactSignature | undefined {
  const json = parseJson(Buffer.from(bytes).toString('utf8'));
  const { dsseEnvelope: envelope, verificationMaterial } = bundleSchema.safeParse(json).data ?? {};
  if (envelope?.payloadType !== 'application/vnd.in-toto+json') return undefined;
  const { payload, payloadType, signatures } = envelope;
  const isCertified = verificationMaterial !== undefined && !('publicKey' in verificationMaterial);
  return { payload, payloadType, signature: signatures[0].sig, ...(isCertified && { bundle: json }) };
}

/** What stands in the annotations of a layer, in the form of a bundle. */
function bundleOf({ annotations }: OciDescriptor, payload: Buffer, signature: Buffer): unknown {
  const pem = annotations?.['dev.sigstore.cosign/certificate'];
  const rekor = rekorSchema.safeParse(parseJson(annotations?.['dev.sigstore.cosign/bundle'] ?? '')).data;
  if (pem === undefined || rekor === undefined) return undefined;
  const { body, integratedTime, logIndex, logID } = rekor.Payload;
  const kind = bodySchema.safeParse(parseJson(Buffer.from(body, 'base64').toString('utf8'))).data;
  const certificate = derOf(pem);
  if (kind === undefined || certificate === undefined) return undefined;
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificate }] },
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
          kindVersion: { kind: kind.kind, version: kind.apiVersion },
          integratedTime: String(integratedTime),
          inclusionPromise: { signedEntryTimestamp: rekor.SignedEntryTimestamp },
          canonicalizedBody: body,
        },
      ],
    },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(payload).digest('base64'),
      },
      signature: signature.toString('base64'),
    },
  };
}

function derOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).raw.toString('base64');
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
