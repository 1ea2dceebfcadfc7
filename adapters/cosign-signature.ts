import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import type { TrustMaterial } from '@sigstore/verify';
import * as z from 'zod';
import type { RepositoryConfig } from '../core/contract/config.ts';
import type { VerifyConfig } from '../core/contract/verify.ts';
import type { Signature } from '../core/model/commit.ts';
import type { Secrets } from '../core/ports.ts';
import { cosignSignatures, type ArtifactSignature } from './cosign-store.ts';
import type { OciRepository } from './oci-registry.ts';
import { parseTrustedRoot, verifyBundle, type SignerIdentity } from './sigstore-bundle.ts';
import { enforce, parsedBy, refused, textsOf } from './verify-policy.ts';

export interface SignedArtifact {
  readonly repository: RepositoryConfig;
  /** `sha256:…` of its manifest. */
  readonly digest: string;
  /** For texts. */
  readonly subject: string;
}

interface Keyless {
  readonly trust: TrustMaterial;
  readonly identities: readonly SignerIdentity[];
}

/** Who may sign, read and ready. */
interface Trusted {
  readonly keys: readonly KeyObject[];
  readonly keyless: Keyless | undefined;
}

const cosignType = 'cosign container image signature';
const predicateType = 'https://sigstore.dev/cosign/sign/v1';
const mostReasons = 3;

const simpleSchema = z.object({
  critical: z.object({
    identity: z.object({ 'docker-reference': z.string().nullish() }),
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.string(),
  }),
});
const statementSchema = z.object({
  _type: z.string().startsWith('https://in-toto.io/Statement/'),
  predicateType: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
});

/**
 * Looks whether an artifact is signed by cosign, by one of those who may. Undefined where nobody asked. Throws Stop for one
 * that is not, where the repository requires it; Blocked where the configured keys cannot be read.
 */
export async function checkCosign(
  artifact: SignedArtifact,
  registry: Pick<OciRepository, 'find' | 'blob' | 'referrers'>,
  secrets: Secrets,
): Promise<Signature | undefined> {
  const { repository, digest, subject } = artifact;
  const { name, verify: policy } = repository;
  if (policy?.cosign === undefined || policy.mode === 'off') return undefined;
  const trusted = await readTrust(name, policy.cosign, secrets);
  const reasons = new Set<string>();
  for (const signature of await cosignSignatures(registry, digest)) {
    const verdict = judge(signature, artifact, trusted);
    if (verdict.verdict === 'good') return verdict;
    reasons.add(verdict.reason);
  }
  const why = [...reasons].slice(0, mostReasons).join('; ') || 'it is not signed';
  return enforce(refused(why), policy, {
    repository: name,
    sha: digest.slice('sha256:'.length),
    subject,
    advice: 'Sign it with `cosign sign`, or allow its signer under `verify` in the stack configuration',
  });
}

async function readTrust(
  name: string,
  { keys = [], keyless }: NonNullable<VerifyConfig['cosign']>,
  secrets: Secrets,
): Promise<Trusted> {
  const texts = await textsOf(keys, secrets);
  const read = await Promise.all(texts.map((text) => parsedBy(name, 'cosign.keys', text, parseKeys)));
  if (keyless === undefined) return { keys: read.flat(), keyless };
  const [text = ''] = await textsOf([keyless.trustedRoot], secrets);
  const trust = await parsedBy(name, 'cosign.keyless.trustedRoot', text, parseTrustedRoot);
  return { keys: read.flat(), keyless: { trust, identities: keyless.identities } };
}

/** Every key of a text in PEM; throws an Error where there is none. */
function parseKeys(text: string): readonly KeyObject[] {
  const found = text.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? [];
  if (found.length === 0) throw new Error('it holds no PUBLIC KEY in PEM');
  return found.map((pem) => createPublicKey(pem));
}

function judge(signature: ArtifactSignature, artifact: SignedArtifact, trusted: Trusted): Signature {
  const why = whyOfAnother(signature, artifact);
  if (why !== undefined) return refused(why);
  const signed =
    signature.payloadType === undefined
      ? signature.payload
      : dsse.preAuthEncoding(signature.payloadType, signature.payload);
  const key = trusted.keys.find((one) => isBy(one, signed, signature.signature));
  if (key !== undefined) return { verdict: 'good', scheme: 'cosign', signer: `key ${fingerprint(key)}` };
  if (trusted.keyless === undefined) return refused('its signature is by none of the keys on the list');
  return keylessVerdict(signature, trusted.keyless);
}

/** Why a signature is not about this artifact, as far as what it signs says so. */
function whyOfAnother(
  { payload, payloadType }: ArtifactSignature,
  { digest, repository }: SignedArtifact,
): string | undefined {
  const text = payload.toString('utf8');
  if (payloadType !== undefined) {
    const statement = statementSchema.safeParse(parseJson(text)).data;
    if (statement === undefined) return 'what its signature says cannot be read';
    if (statement.predicateType !== predicateType) {
      return `it has an attestation (${statement.predicateType.slice(0, 100)}), which is no signature`;
    }
    const isMeant = statement.subject.some((one) => `sha256:${one.digest['sha256']}` === digest);
    return isMeant ? undefined : 'its signature is of another digest';
  }
  const simple = simpleSchema.safeParse(parseJson(text)).data?.critical;
  if (simple === undefined || ![cosignType, predicateType].includes(simple.type)) {
    return 'what its signature says cannot be read';
  }
  if (simple.image['docker-manifest-digest'] !== digest) return 'its signature is of another digest';
  const reference = simple.identity['docker-reference'] ?? '';
  if (reference === '' || placeOf(reference) === placeOf(repository.url)) return undefined;
  return `it was signed for ${reference.slice(0, 200)}, which is another repository`;
}

/** `HOST/NAME` without tag and digest, with one name for Docker Hub. */
function placeOf(reference: string): string {
  return reference
    .replace(/^oci:\/\//, '')
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .replace(/^(?:index|registry-1)\.docker\.io\//, 'docker.io/');
}

/** Keys of cosign sign with SHA-256, whatever their size. */
function isBy(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = key.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256';
  try {
    return verify(algorithm, message, key, signature);
  } catch {
    // A key that cannot verify at all did not sign.
    return false;
  }
}

function keylessVerdict(
  { bundle, payload, payloadType }: ArtifactSignature,
  { trust, identities }: Keyless,
): Signature {
  if (bundle === undefined) {
    return refused('its signature brings no certificate and no entry of the transparency log along');
  }
  const verdict = verifyBundle(bundle, payloadType === undefined ? payload : undefined, trust, identities);
  if (verdict.kind === 'untrusted') return refused(`its signature is not trusted (${verdict.words})`);
  const { kind, signer } = verdict;
  if (kind === 'stranger') return refused(`it is signed by ${signer}, who is not on the list`);
  return { verdict: 'good', scheme: 'cosign', signer };
}

/** As `openssl` and registries' pages show it: SHA-256 over the key in DER. */
function fingerprint(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' });
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
