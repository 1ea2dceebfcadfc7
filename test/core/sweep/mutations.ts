import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inBatches } from '../../../core/in-batches.ts';
import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../../core/model/json.ts';
import { groupOf, kubeObjectSchema, type KubeObject, type LiveObject } from '../../../core/model/object.ts';
import { objectsOf } from '../../../core/render/objects.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { digestOfMetadata } from '../../../core/sweep/glance.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Workbench } from '../drift/workbench.ts';
import { mutationsOf, type Mutation } from './field-mutations.ts';
import { OpenApi } from './open-api.ts';

/** What became of the mutations of one kind. */
export interface KindProof {
  readonly kind: string;
  readonly hasGeneration: boolean;
  /** Fields that the schema names. */
  readonly fields: number;
  /** Mutations that changed the object on the server; all others it refused, or put back to what was there. */
  readonly changed: number;
  /** Those of them that left the generation as it was. */
  readonly unmoved: readonly string[];
  /** Changes of metadata that its digest does not show, whoever is said to have made them. */
  readonly unseen: readonly string[];
}

const requestsAtOnce = 12;

/** One object of every built-in kind, or the way to one that every cluster has. */
export function basesOf(namespace: string): readonly KubeObject[] {
  return ['../drift/kinds.yaml', 'mutation-bases.yaml'].flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    return readYaml(file, text).flatMap((document) =>
      objectsOf(document).objects.map(({ object }) => inNamespace(object, namespace)),
    );
  });
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/**
 * Changes every field of an object in turn, by dry runs of updates: the server answers with the generation that a real
 * one would give. `every`: only each so-manieth field.
 */
export async function proveKind(
  { client, bench }: { readonly client: ClusterClient; readonly bench: Workbench },
  live: LiveObject,
  { every = 1 }: { readonly every?: number } = {},
): Promise<KindProof> {
  const { apiVersion, kind } = live;
  const group = groupOf(apiVersion);
  const api = await OpenApi.read(client, apiVersion);
  const schema = api.kind(group, apiVersion.slice(apiVersion.indexOf('/') + 1), kind);
  const fields = mutationsOf(api, schema, live);
  const path = await bench.pathOf(live);
  let version: Json = live.metadata.resourceVersion;
  const send: Send = async (object) => {
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
    const current = { ...object, metadata: { ...metadata, resourceVersion: version } };
    const options = 'dryRun=All&fieldManager=somebody';
    const { status, body } = await client.ask('PUT', `${path}?${options}`, { body: current });
    if (status === 409) {
      // Its controller wrote the status.
      const now = await client.get(path);
      version = isJsonObject(now?.['metadata']) ? (now['metadata']['resourceVersion'] ?? '') : '';
      return send(object);
    }
    if (status === 200 && isJsonObject(body)) {
      return jsonEqual(contentOf(body), contentOf(live)) ? 'unchanged' : body;
    }
    return /immutable|Forbidden|may not change/.test(JSON.stringify(body)) ? 'forbidden' : 'refused';
  };
  const chosen = fields.filter((_, index) => index % every === 0);
  const answers = await inBatches(chosen, requestsAtOnce, async (field) => firstTaken(field, send));
  const changed = answers.filter((answer) => answer !== undefined);
  const unmoved = changed.filter(({ object }) => generationOf(object) === generationOf(live));
  return {
    kind: `${group}/${kind}`,
    hasGeneration: generationOf(live) !== undefined,
    fields: chosen.length,
    changed: changed.length,
    unmoved: unmoved.map(({ field }) => field.path),
    unseen: await unseenMetadata(live, send),
  };
}

/** The changed object, or why there is none. `forbidden`: whatever the value. */
type Send = (object: JsonObject) => Promise<JsonObject | 'unchanged' | 'refused' | 'forbidden'>;

async function firstTaken(
  field: Mutation,
  send: Send,
): Promise<{ readonly field: Mutation; readonly object: JsonObject } | undefined> {
  for (const candidate of field.candidates) {
    const answer = await send(candidate);
    if (answer === 'forbidden') return undefined;
    if (typeof answer !== 'string') return { field, object: answer };
  }
  return undefined;
}

const owner = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'owner',
  uid: '0b0c7a4e-0000-4000-8000-000000000000',
};

/** The server's managedFields are put back to what they were: the digest must show the change without their help. */
async function unseenMetadata(live: LiveObject, send: Send): Promise<readonly string[]> {
  const { metadata } = live;
  const changes: JsonObject = {
    labels: { ...metadata.labels, other: 'other' },
    annotations: { ...metadata.annotations, other: 'other' },
    finalizers: ['example.com/other'],
    ownerReferences: [owner],
  };
  const unseen: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const object = await send({ ...live, metadata: { ...metadata, [name]: value } });
    if (typeof object === 'string' || !isJsonObject(object['metadata'])) continue;
    const { managedFields } = metadata;
    const answer = { ...live, metadata: { ...metadata, [name]: object['metadata'][name] ?? null } };
    const same = { ...answer.metadata, ...(managedFields !== undefined && { managedFields }) };
    if (digestOfMetadata({ ...answer, metadata: same }, plain) === digestOfMetadata(live, plain)) {
      unseen.push(`metadata.${name}`);
    }
  }
  return unseen;
}

/** No key: equal texts have equal digests, which is all that a proof needs. */
function plain(text: string): string {
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) >>> 0;
  return `${hash}-${text.length}`;
}

function generationOf({ metadata }: JsonObject): Json | undefined {
  return isJsonObject(metadata) ? metadata['generation'] : undefined;
}

/** All that is not bookkeeping of the server, or status. */
function contentOf(object: JsonObject): Json {
  const { status: _status, metadata, ...content } = object;
  if (!isJsonObject(metadata)) return content;
  const { managedFields: _fields, generation: _generation, resourceVersion: _version, ...rest } = metadata;
  return { ...content, metadata: rest };
}

/** The object as it stands on the server. */
export async function liveOf(
  { client, bench }: { readonly client: ClusterClient; readonly bench: Workbench },
  object: KubeObject,
): Promise<LiveObject> {
  const live = await client.get(await bench.pathOf(object));
  const { metadata } = kubeObjectSchema.parse(live);
  const { uid, resourceVersion } = metadata;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string')
    throw new Error('that is no live object');
  return { ...object, ...live, metadata: { ...metadata, uid, resourceVersion } };
}
