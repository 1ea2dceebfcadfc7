import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { inBatches } from './in-batches.ts';
import { LostSnapshot } from './lost-snapshot.ts';
import { digestOf, keyedDigest } from './model/digest.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './model/json.ts';
import { refKey, refOf, type KubeObject, type ObjectMeta } from './model/object.ts';
import { snapshotSchema, type Snapshot } from './model/snapshot.ts';
import { hasEncryptedData, type SopsFiles } from './model/sops.ts';
import { openSops } from './open-sops.ts';
import type { Sealer, SopsOpener } from './ports.ts';

/** What the digest of a snapshot covers; where it came from does not count. */
export interface SnapshotContent {
  readonly application: string;
  readonly namespace: string;
  readonly objects: readonly KubeObject[];
  /** Of objects whose secret values SOPS encrypted, and which stay so until they are opened. */
  readonly sops?: SopsFiles;
}

/** Of `metadata`: the server's own, which tools leave in the files that they export. */
const serverFields = [
  'creationTimestamp',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** Holds the whole object as text, secret values included. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Each asks KMS once. */
const filesAtOnce = 8;

const sealedPattern = /^sealed:v1:(hmac:[0-9a-f]{64}):([A-Za-z0-9+/=]+)$/;

/**
 * Objects as they are stored and applied: without what only a server writes, Secrets as `data`, sorted by object key.
 * Renders that mean the same come out the same.
 */
export function canonicalObjects(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects
    .map((object) => [refKey(refOf(object)), canonicalObject(object)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => object);
}

function canonicalObject(object: KubeObject): KubeObject {
  const clean = {
    ...without(object, ['status']),
    ...typeOf(object),
    metadata: canonicalMeta(object.metadata),
  };
  return holdsSecrets(object)
    ? { ...without(clean, ['data', 'stringData']), ...typeOf(clean), ...secretData(object) }
    : clean;
}

function typeOf({ apiVersion, kind, metadata }: KubeObject) {
  return { apiVersion, kind, metadata };
}

function canonicalMeta(metadata: ObjectMeta): ObjectMeta {
  const annotations = without(metadata.annotations ?? {}, [lastApplied]);
  const kept = { ...without(metadata, [...serverFields, 'annotations']), name: metadata.name };
  return Object.keys(annotations).length === 0 ? kept : { ...kept, annotations };
}

function without<T extends Json>(members: { readonly [key: string]: T }, names: readonly string[]) {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}

function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

/** Values of SOPS are no secret as they stand, and become `data` once they are opened. */
function holdsSecrets(object: KubeObject): boolean {
  return isSecret(object) && !hasEncryptedData(object);
}

/** As the API server stores it: `stringData` wins over `data`, and base64 has no line ends. */
function secretData({ data, stringData }: KubeObject): { readonly data?: JsonObject } {
  const encoded = textMembers(data, (text) => text.replaceAll(/[\r\n]/g, ''));
  const plain = textMembers(stringData, (text) => base64.encode(utf8ToBytes(text)));
  const merged = { ...encoded, ...plain };
  return Object.keys(merged).length === 0 ? {} : { data: merged };
}

function textMembers(members: Json | undefined, change: (text: string) => string): Record<string, string> {
  const entries = isJsonObject(members ?? null) ? Object.entries(members ?? {}) : [];
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (typeof value === 'string' ? [[key, change(value)]] : [])),
  );
}

/** Replaces every secret value of an object, as it stands in `data`. */
function mapSecretValues(object: KubeObject, change: (value: string) => string): KubeObject {
  if (!holdsSecrets(object) || object['data'] === undefined) return object;
  return { ...object, data: textMembers(object['data'], change) };
}

function hasSecretValues(objects: readonly KubeObject[]): boolean {
  return objects.some((object) => holdsSecrets(object) && object['data'] !== undefined);
}

/**
 * Digest of canonical content whose secret values are in the clear. Each counts as its keyed digest,
 * so that sealing the same content again changes nothing (rule 9).
 */
export async function contentDigest(content: SnapshotContent, sealer: Sealer): Promise<string> {
  return digestOfContent({ ...content, objects: await maskObjects(content.objects, sealer) });
}

/** Canonical objects with each secret value as its keyed digest, for people. Asks for no key where there is none. */
export async function maskObjects(
  objects: readonly KubeObject[],
  sealer: Pick<Sealer, 'digestKey'>,
): Promise<readonly KubeObject[]> {
  if (!hasSecretValues(objects)) return objects;
  const key = await sealer.digestKey();
  return objects.map((object) => mapSecretValues(object, (value) => keyedDigest(key, value)));
}

/** The same of a snapshot as it is stored: nothing is opened. */
export function maskedObjects({ objects }: Pick<Snapshot, 'objects'>): readonly KubeObject[] {
  return objects.map((object) => mapSecretValues(object, (value) => sealedDigest(value) ?? value));
}

function digestOfContent({ application, namespace, objects, sops }: SnapshotContent): string {
  return digestOf({ application, namespace, objects, ...(sops !== undefined && { sops }) });
}

/** Seals the secret values of canonical content under a fresh data key; asks for none where there is nothing to seal. */
export async function sealSnapshot(
  content: SnapshotContent,
  provenance: Snapshot['provenance'],
  sealer: Sealer,
): Promise<Snapshot> {
  const { application, namespace, sops } = content;
  const kept = sops === undefined ? {} : { sops };
  const bare = { version: 1 as const, application, namespace, provenance, ...kept };
  if (!hasSecretValues(content.objects)) return { ...bare, objects: [...content.objects] };
  const digestKey = await sealer.digestKey();
  const { key, wrapped } = await sealer.newDataKey();
  const seal = (value: string): string =>
    `sealed:v1:${keyedDigest(digestKey, value)}:${sealer.encrypt(key, value)}`;
  const objects = content.objects.map((object) => mapSecretValues(object, seal));
  return { ...bare, objects, sealing: { wrappedKey: wrapped } };
}

/** Objects with their secret values in the clear, for applying. Never store or log what this returns. */
export async function openObjects(
  snapshot: Snapshot,
  sealer: Sealer,
  opener?: SopsOpener,
): Promise<readonly KubeObject[]> {
  const { sops = {} } = snapshot;
  return inBatches(await unsealed(snapshot, sealer), filesAtOnce, async (object) => {
    const file = sops[refKey(refOf(object))];
    return file === undefined ? object : canonicalObject(await openSops(object, file, opener));
  });
}

async function unsealed(snapshot: Snapshot, sealer: Sealer): Promise<readonly KubeObject[]> {
  if (snapshot.sealing === undefined) return snapshot.objects;
  const key = await sealer.unwrap(snapshot.sealing.wrappedKey);
  return snapshot.objects.map((object) =>
    mapSecretValues(object, (value) => {
      const sealed = sealedPattern.exec(value)?.[2];
      return sealed === undefined ? value : sealer.decrypt(key, sealed);
    }),
  );
}

/** Keyed digest of a sealed value, equal for equal base64 text of `data`; undefined when the value is not sealed. */
export function sealedDigest(value: string): string | undefined {
  return sealedPattern.exec(value)?.[1];
}

export function encodeSnapshot(snapshot: Snapshot): string {
  return canonicalJson(snapshot);
}

/** Throws LostSnapshot when the text is no snapshot, or not the one that the digest names. */
export function decodeSnapshot(digest: string, text: string): Snapshot {
  const fault = (message: string) => new LostSnapshot(digest, message);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw fault('is not JSON');
  }
  const parsed = snapshotSchema.safeParse(json);
  if (!parsed.success) throw fault('was written by another version of trueup or by hand');
  const { objects } = parsed.data;
  if (digestOfContent({ ...parsed.data, objects: maskedObjects({ objects }) }) !== digest)
    throw fault('does not match its digest');
  return parsed.data;
}
