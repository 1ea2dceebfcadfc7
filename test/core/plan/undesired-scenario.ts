import { load } from 'js-yaml';
import * as z from 'zod';
import { defaultSettings } from '../../../core/model/desired.ts';
import { inventoryEntrySchema, type InventoryEntry } from '../../../core/model/inventory.ts';
import { refKey, type LiveObject, type ObjectRef } from '../../../core/model/object.ts';
import { decidePlan, resolveDesired, type Decision } from '../../../core/plan.ts';
import type { ApiResource } from '../../../core/ports.ts';

const verbs = ['get', 'list', 'patch', 'delete'];
const kinds: Readonly<Record<string, Omit<ApiResource, 'kind' | 'verbs'>>> = {
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps', namespaced: true },
  Namespace: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
  PersistentVolumeClaim: { group: '', version: 'v1', plural: 'persistentvolumeclaims', namespaced: true },
  PersistentVolume: { group: '', version: 'v1', plural: 'persistentvolumes', namespaced: false },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  Widget: { group: 'example.com', version: 'v1', plural: 'widgets', namespaced: true },
};

/** `Kind name`; namespaced ones are in the namespace web. */
const object = z.string().regex(/^[A-Z][A-Za-z]* \S+$/);
const texts = z.record(object, z.string()).default({});

/** What git has, what the inventory has beyond `created` and an uid, and what is live beyond that uid. */
const scenarioSchema = z.strictObject({
  git: z.array(object).default([]),
  inventory: z.record(object, inventoryEntrySchema.partial().nullable()).default({}),
  live: z
    .record(
      object,
      z
        .strictObject({
          prune: z.string().optional().describe('the annotation'),
          label: z.string().default('web'),
          deleting: z.string().optional(),
        })
        .nullable(),
    )
    .default({}),
  at: z.string().default('12:00'),
  confirmPrune: z.number().optional(),
  prune: z.boolean().default(true),
  state: z.enum(['present', 'gone']).default('present'),
  onDelete: z.enum(['orphan', 'prune']).default('orphan'),
  claims: texts,
  contents: texts,
  rivals: texts,
  owners: texts,
});

type Given = z.infer<typeof scenarioSchema>['inventory'][string];

export function keyOf(name: string): string {
  return refKey(refOf(name));
}

function refOf(text: string): ObjectRef {
  const [kind = '', name = ''] = text.split(' ');
  const { group = '', namespaced = true } = kinds[kind] ?? {};
  return { group, kind, ...(namespaced && { namespace: 'web' }), name };
}

function apiVersionOf({ group }: ObjectRef): string {
  return group === '' ? 'v1' : `${group}/v1`;
}

function entryOf(text: string, given: Given): InventoryEntry {
  const ref = refOf(text);
  return inventoryEntrySchema.parse({
    ref,
    apiVersion: apiVersionOf(ref),
    plural: kinds[ref.kind]?.plural ?? '',
    state: 'applied',
    created: true,
    adopted: false,
    uid: `uid of ${text}`,
    desiredDigest: 'v1',
    ...given,
  });
}

/** Plans a scenario about objects that nothing desires. Times of day are of one day in UTC. */
export function decideUndesired(yaml: string): Decision {
  const { git, inventory, live, claims, contents, rivals, owners, ...rest } = scenarioSchema.parse(
    load(yaml),
  );
  const served = Object.entries(kinds).map(([kind, resource]) => ({ ...resource, kind, verbs }));
  const objects = git.map((text) => {
    const ref = refOf(text);
    const metadata = { name: ref.name };
    return { digest: 'v1', object: { apiVersion: apiVersionOf(ref), kind: ref.kind, metadata } };
  });
  const byKey = (each: Readonly<Record<string, string>>) =>
    new Map(Object.entries(each).map(([text, said]) => [keyOf(text), said]));
  return decidePlan({
    application: 'web',
    repository: 'config',
    desired: resolveDesired({ application: 'web', namespace: 'web', objects, origins: {} }, served),
    state: rest.state,
    settings: { ...defaultSettings, prune: rest.prune, onDelete: rest.onDelete },
    entries: Object.fromEntries(
      Object.entries(inventory).map(([text, given]) => [keyOf(text), entryOf(text, given)]),
    ),
    observed: new Map(Object.entries(live).map(([text, given]) => [keyOf(text), liveOf(text, given)])),
    scope: 'changed',
    drifted: new Set(),
    pruneCap: { percent: 30, objects: 5 },
    confirmPrune: rest.confirmPrune,
    at: timeOf(rest.at),
    claims: byKey(claims),
    contents: byKey(contents),
    rivals: byKey(rivals),
    owners: byKey(owners),
  });
}

/** `12:00` of the day of all scenarios. */
export function timeOf(time: string): string {
  return `2026-11-23T${time}:00.000Z`;
}

type Live = z.infer<typeof scenarioSchema>['live'][string];

function liveOf(text: string, given: Live): LiveObject {
  const ref = refOf(text);
  const { prune, label = 'web', deleting } = given ?? {};
  return {
    apiVersion: apiVersionOf(ref),
    kind: ref.kind,
    metadata: {
      name: ref.name,
      uid: `uid of ${text}`,
      resourceVersion: '1',
      labels: { 'trueup.dev/application': label },
      annotations: prune === undefined ? {} : { 'trueup.dev/prune': prune },
      ...(deleting !== undefined && { deletionTimestamp: timeOf(deleting) }),
    },
  };
}

/** `Kind name` to `action: why`. */
export function planned({ plan }: Decision): Record<string, string> {
  return Object.fromEntries(
    plan.actions.map(({ action, ref, why }) => [`${ref.kind} ${ref.name}`, `${action}: ${why}`]),
  );
}

/** What the inventory is to say of what stays, `Kind name` to `reason since mark`; `none` for what is desired again. */
export function noted({ notes }: Decision): Record<string, string> {
  return Object.fromEntries(
    Object.values(notes).map(({ ref, kept, markedAt }) => [
      `${ref.kind} ${ref.name}`,
      [kept?.because ?? 'none', kept?.since.slice(11, 16), markedAt?.slice(11, 16)].filter(Boolean).join(' '),
    ]),
  );
}
