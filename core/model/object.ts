import * as z from 'zod';
import { jsonSchema, type Json } from './json.ts';

/** Any Kubernetes object. Members beyond metadata are kept as they came. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [key: string]: Json;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
  readonly [key: string]: Json;
}

const stringMap = z.record(z.string(), z.string());

/** What every object needs before anything else is asked of it; unknown members pass through. */
export const kubeObjectSchema: z.ZodType<KubeObject> = z
  .object({
    apiVersion: z.string().min(1),
    kind: z.string().min(1),
    metadata: z
      .object({
        name: z.string().min(1),
        namespace: z.string().min(1).exactOptional(),
        labels: stringMap.exactOptional(),
        annotations: stringMap.exactOptional(),
      })
      .catchall(jsonSchema),
  })
  .catchall(jsonSchema);

/** Names an object for as long as it lives. Never the version: an Ingress is the same one under v1 and v1beta1. */
export interface ObjectRef {
  readonly group: string;
  readonly kind: string;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export const objectRefSchema = z.object({
  group: z.string(),
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
});

/** Inventory key: `group/kind/namespace/name`, with empty parts for the core group and cluster scope. */
export function refKey(ref: ObjectRef): string {
  return `${ref.group}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`;
}

/** What an inventory key names; no part of one holds a slash. */
export function refOfKey(key: string): ObjectRef {
  const [group = '', kind = '', namespace = '', name = ''] = key.split('/');
  return { group, kind, name, ...(namespace !== '' && { namespace }) };
}

/** For people: `Deployment web/frontend`, `Namespace web`, `Certificate.cert-manager.io web/tls`. */
export function describeRef(ref: ObjectRef): string {
  const kind =
    ref.group.includes('.') && !ref.group.endsWith('.k8s.io') ? `${ref.kind}.${ref.group}` : ref.kind;
  return `${kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
}

/** The group of an apiVersion: `apps/v1` gives `apps`, `v1` gives the empty core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata;
  return { group: groupOf(object.apiVersion), kind: object.kind, namespace, name };
}

/** One entry of metadata.managedFields as the API server stores it. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Json;
}

/** A live object as the API server answered it: uid and resourceVersion are always there. */
export interface LiveObject extends KubeObject {
  readonly metadata: ObjectMeta & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly managedFields?: readonly (ManagedFieldsEntry & { readonly [key: string]: Json })[];
  };
}
