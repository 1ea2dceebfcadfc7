import { defaultSettings } from '../../../core/model/desired.ts';
import { load } from 'js-yaml';
import * as z from 'zod';
import { inventoryEntrySchema, type InventoryEntry } from '../../../core/model/inventory.ts';
import type { LiveObject } from '../../../core/model/object.ts';
import { ruleSchema } from '../../../core/model/rule.ts';
import { decidePlan, resolveDesired, type Decision } from '../../../core/plan.ts';
import type { ApiResource } from '../../../core/ports.ts';

const verbs = ['get', 'list', 'patch', 'delete'];
/** Kinds of the cluster in these scenarios. */
export const served: ApiResource[] = [
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false, verbs },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'Ingress',
    plural: 'ingresses',
    namespaced: true,
    verbs,
  },
];

/**
 * One scenario in YAML. `git`: ConfigMap name to digest. `inventory`: name to what differs from an entry that we
 * created with digest v1 and uid `uid-NAME`. `live`: name to what differs from an object of that uid.
 */
const scenarioSchema = z.strictObject({
  git: z.record(z.string(), z.string()).default({}),
  adopt: z.union([z.literal('all'), z.array(z.string())]).default([]),
  handedOver: z.record(z.string(), inventoryEntrySchema.partial()).default({}),
  rules: ruleSchema.array().default([]),
  inventory: z.record(z.string(), inventoryEntrySchema.partial().nullable()).default({}),
  live: z
    .record(
      z.string(),
      z
        .strictObject({
          uid: z.string().optional(),
          annotations: z.record(z.string(), z.string()).default({}),
          labels: z.record(z.string(), z.string()).default({}),
          born: z.string().optional(),
          writers: z.array(z.array(z.string())).default([]).describe('manager, operation, time, fields'),
        })
        .nullable(),
    )
    .default({}),
  state: z.enum(['present', 'gone']).default('present'),
  drift: z.enum(['heal', 'observe']).default('heal'),
  prune: z.boolean().default(true),
  onDelete: z.enum(['orphan', 'prune']).default('orphan'),
  scope: z.enum(['changed', 'all']).default('changed'),
  drifted: z.array(z.string()).default([]),
  confirmPrune: z.number().optional(),
});
type Scenario = z.infer<typeof scenarioSchema>;

export const at = '2026-11-23T12:00:00.000Z';
/** Object key of a ConfigMap by its name. */
export const keyOf = (name: string): string => `/ConfigMap/web/${name}`;

function liveObject(name: string, live: Scenario['live'][string]): LiveObject {
  const { uid, annotations = {}, labels = {}, born, writers = [] } = live ?? {};
  const managedFields = writers.map(([manager = '', operation = '', time = '', field = '']) => ({
    manager,
    operation,
    time,
    fieldsV1: Object.fromEntries(field.split(' ').map((each) => [`f:${each}`, {}])),
  }));
  const metadata = { name, namespace: 'web', uid: uid ?? `uid-${name}`, resourceVersion: '1' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, annotations, labels, managedFields, creationTimestamp: born ?? at },
  };
}

function entryOf(name: string, entry: Scenario['inventory'][string]): InventoryEntry {
  return inventoryEntrySchema.parse({
    ref: { group: '', kind: 'ConfigMap', namespace: 'web', name },
    apiVersion: 'v1',
    plural: 'configmaps',
    state: 'applied',
    created: true,
    adopted: false,
    ...(entry?.state === 'intent' ? {} : { uid: `uid-${name}`, desiredDigest: 'v1' }),
    ...entry,
  });
}

/** Plans a scenario. */
export function decide(yaml: string): Decision {
  const scenario = scenarioSchema.parse(load(yaml));
  const objects = Object.entries(scenario.git).map(([name, digest]) => ({
    digest,
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        annotations:
          scenario.adopt !== 'all' && scenario.adopt.includes(name) ? { 'trueup.dev/adopt': 'allowed' } : {},
      },
    },
  }));
  const desired = resolveDesired({ application: 'web', namespace: 'web', objects, origins: {} }, served);
  const entries = Object.entries(scenario.inventory).map(([name, entry]) => [
    keyOf(name),
    entryOf(name, entry),
  ]);
  const given = Object.entries(scenario.handedOver);
  const { settings, ...rest } = {
    settings: {
      ...defaultSettings,
      drift: scenario.drift,
      rules: scenario.rules,
      adopt: scenario.adopt === 'all',
      prune: scenario.prune,
      onDelete: scenario.onDelete,
    },
    state: scenario.state,
    scope: scenario.scope,
    confirmPrune: scenario.confirmPrune,
  };
  return decidePlan({
    ...rest,
    application: 'web',
    repository: 'config',
    settings,
    desired,
    entries: Object.fromEntries(entries),
    observed: new Map(
      Object.entries(scenario.live).map(([name, live]) => [keyOf(name), liveObject(name, live)]),
    ),
    handedOver: new Map(given.map(([name, entry]) => [keyOf(name), entryOf(name, entry)])),
    drifted: new Set(scenario.drifted.map(keyOf)),
    pruneCap: { percent: 30, objects: 5 },
    at,
  });
}

/** `name: action why` per object. */
export function actions({ plan }: Decision): Record<string, string> {
  return Object.fromEntries(plan.actions.map(({ action, ref, why }) => [ref.name, `${action}: ${why}`]));
}
