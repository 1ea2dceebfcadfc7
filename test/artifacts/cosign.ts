import { createHash, sign, type KeyObject } from 'node:crypto';
import type { GitsignOptions, LoggedSignature, MiniSigstore } from '../git/mini-sigstore.ts';
import type { ArtifactRegistry, Layer } from './artifact-registry.ts';

// What `cosign sign` leaves in a registry, made without it.

const simpleType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const payloadType = 'application/vnd.in-toto+json';
const empty = Buffer.alloc(0);

export interface CosignOptions {
  /** What the payload says that was signed. */
  readonly digest?: string;
  readonly reference?: string;
  readonly predicateType?: string;
  /** By which the registry tells of a bundle. */
  readonly by?: 'api' | 'tag';
}

/** As cosign did until its version 2, with a key. */
export function signByKey(
  registry: ArtifactRegistry,
  digest: string,
  key: KeyObject,
  options: CosignOptions = {},
): void {
  const payload = simplePayload(registry, digest, options);
  const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key);
  attach(registry, digest, [simpleLayer(payload, signature)]);
}

/** The same without a key. */
export function signKeyless(
  registry: ArtifactRegistry,
  digest: string,
  sigstore: MiniSigstore,
  { signer = {}, ...options }: CosignOptions & { readonly signer?: GitsignOptions } = {},
): void {
  const payload = simplePayload(registry, digest, options);
  const logged = sigstore.signMessage(payload, signer);
  const { body, integratedTime, logIndex, logId, promise } = logged;
  const layer = simpleLayer(payload, logged.signature, {
    'dev.sigstore.cosign/certificate': logged.certificate,
    'dev.sigstore.cosign/bundle': JSON.stringify({
      SignedEntryTimestamp: promise.toString('base64'),
      Payload: { body, integratedTime, logIndex, logID: logId.toString('hex') },
    }),
  });
  attach(registry, digest, [layer]);
}

/** As cosign does since its version 3: a bundle that refers to the artifact. */
export function bundleByKey(
  registry: ArtifactRegistry,
  digest: string,
  key: KeyObject,
  options: CosignOptions = {},
): void {
  const payload = statement(digest, options);
  const sig = sign('sha256', preAuthEncoding(payload), key).toString('base64');
  const verificationMaterial = { publicKey: { hint: 'key' }, tlogEntries: [] };
  referBundle(registry, digest, { verificationMaterial, payload, sig }, options);
}

export function bundleKeyless(
  registry: ArtifactRegistry,
  digest: string,
  sigstore: MiniSigstore,
  { signer = {}, ...options }: CosignOptions & { readonly signer?: GitsignOptions } = {},
): void {
  const payload = statement(digest, options);
  const logged = sigstore.signMessage(preAuthEncoding(payload), signer, (signature) => ({
    kind: 'dsse',
    apiVersion: '0.0.1',
    spec: {
      payloadHash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') },
      signatures: [{ signature: signature.toString('base64') }],
    },
  }));
  const verificationMaterial = {
    certificate: { rawBytes: logged.certificate.replaceAll(/-----[^-]+-----|\s/g, '') },
    tlogEntries: [entryOf(logged)],
  };
  referBundle(
    registry,
    digest,
    { verificationMaterial, payload, sig: logged.signature.toString('base64') },
    options,
  );
}

function entryOf({ body, integratedTime, logIndex, logId, promise, proof }: LoggedSignature): object {
  return {
    logIndex: String(logIndex),
    logId: { keyId: logId.toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise.toString('base64') },
    inclusionProof: {
      logIndex: '0',
      treeSize: '1',
      rootHash: proof.rootHash.toString('base64'),
      hashes: [],
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: body,
  };
}

function simplePayload(registry: ArtifactRegistry, digest: string, options: CosignOptions): Buffer {
  const reference = options.reference ?? registry.url.replace('oci://', '');
  const critical = {
    identity: { 'docker-reference': reference },
    image: { 'docker-manifest-digest': options.digest ?? digest },
    type: 'cosign container image signature',
  };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

function simpleLayer(payload: Buffer, signature: Buffer, more: Readonly<Record<string, string>> = {}): Layer {
  const annotations = { 'dev.cosignproject.cosign/signature': signature.toString('base64'), ...more };
  return { mediaType: simpleType, content: payload, annotations };
}

function attach(registry: ArtifactRegistry, digest: string, layers: readonly Layer[]): void {
  registry.push(`${digest.replace(':', '-')}.sig`, { archive: empty, layers });
}

function statement(digest: string, options: CosignOptions): Buffer {
  const sha256 = (options.digest ?? digest).replace('sha256:', '');
  const { predicateType = 'https://sigstore.dev/cosign/sign/v1' } = options;
  const subject = [{ digest: { sha256 }, annotations: {} }];
  const value = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} };
  return Buffer.from(JSON.stringify(value));
}

function preAuthEncoding(payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
}

function referBundle(
  registry: ArtifactRegistry,
  digest: string,
  signed: { readonly verificationMaterial: object; readonly payload: Buffer; readonly sig: string },
  { by = 'api' }: CosignOptions,
): void {
  const { verificationMaterial, payload, sig } = signed;
  const bundle = {
    mediaType: bundleType,
    verificationMaterial,
    dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig }] },
  };
  const content = Buffer.from(JSON.stringify(bundle));
  const referrer = registry.push(undefined, { archive: empty, layers: [{ mediaType: bundleType, content }] });
  registry.refer(digest, [{ digest: referrer, artifactType: bundleType }], by);
}
