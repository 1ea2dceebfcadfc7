import { isJsonObject, type Json } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import { isPrecious } from '../model/precious-kinds.ts';
import type { FieldChange, ObjectChange } from './compare-objects.ts';
import { podPrivileges } from './pod-privileges.ts';
import { grantedRights } from './granted-rights.ts';

/** Why a person should look twice, by kind; the words are for them. */
export interface Risk {
  readonly kind:
    | 'data-loss'
    | 'prune'
    | 'immutable'
    | 'definition'
    | 'privilege'
    | 'volume-claim'
    | 'replicas'
    | 'webhook'
    /** Of the target: more would be pruned than one run may (rule 6 of the design). */
    | 'cap';
  readonly text: string;
}

/** By `group/Kind`: fields that an API server refuses to change; `but`: those below that it lets through. */
const immutable: Readonly<Record<string, { readonly fields: readonly string[]; readonly but?: RegExp }>> = {
  'apps/Deployment': { fields: ['spec.selector'] },
  'apps/DaemonSet': { fields: ['spec.selector'] },
  'apps/ReplicaSet': { fields: ['spec.selector'] },
  'apps/StatefulSet': {
    fields: ['spec'],
    but: /^spec\.(?:replicas|template|updateStrategy|minReadySeconds|ordinals|revisionHistoryLimit|persistentVolumeClaimRetentionPolicy)\b/,
  },
  'batch/Job': { fields: ['spec.selector', 'spec.template', 'spec.completionMode', 'spec.podFailurePolicy'] },
  '/PersistentVolumeClaim': {
    fields: ['spec'],
    but: /^spec\.(?:resources\.requests\.storage|volumeAttributesClassName)\b/,
  },
  '/PersistentVolume': { fields: ['spec.csi', 'spec.nfs', 'spec.hostPath', 'spec.local', 'spec.volumeMode'] },
  '/Service': { fields: ['spec.clusterIP', 'spec.clusterIPs'] },
  'rbac.authorization.k8s.io/RoleBinding': { fields: ['roleRef'] },
  'rbac.authorization.k8s.io/ClusterRoleBinding': { fields: ['roleRef'] },
  'storage.k8s.io/StorageClass': {
    fields: ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'],
  },
  'scheduling.k8s.io/PriorityClass': { fields: ['value'] },
  'networking.k8s.io/IngressClass': { fields: ['spec.controller'] },
};

/** What one change may do that a reviewer would want to know. `prune`: whether what is gone is deleted. */
export function risksOf(change: ObjectChange, { prune }: { readonly prune: boolean }): readonly Risk[] {
  const { ref, kind, base, head, fields } = change;
  return [
    ...(kind === 'removed' ? removal(change, prune) : []),
    ...immutableRisks(`${ref.group}/${ref.kind}`, base, fields),
    ...definitionRisks(change),
    ...gained(head, base),
    ...claimRisks(change),
    ...replicaRisks(fields),
    ...webhookRisks(change),
  ];
}

function removal({ ref }: ObjectChange, prune: boolean): readonly Risk[] {
  if (!prune) return [{ kind: 'prune', text: 'is given up and left on the cluster' }];
  if (isPrecious(ref)) return [{ kind: 'data-loss', text: 'is deleted, with everything that it holds' }];
  return [{ kind: 'prune', text: 'is deleted' }];
}

function immutableRisks(
  name: string,
  base: KubeObject | undefined,
  fields: readonly FieldChange[],
): readonly Risk[] {
  const rule = immutable[name];
  const isFrozen = base?.['immutable'] === true && (name === '/Secret' || name === '/ConfigMap');
  const hit = fields.filter(({ path, from }) => {
    if (isFrozen) return /^(?:data|binaryData|immutable)\b/.test(path);
    // What was never said the server chose; only what was can be known to change.
    if (from === undefined && name === '/Service') return false;
    const isBelow = rule?.fields.some(
      (field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`),
    );
    return isBelow === true && rule?.but?.test(path) !== true;
  });
  if (hit.length === 0) return [];
  const named = [...new Set(hit.map(({ path }) => path))].slice(0, 3).join(', ');
  return [{ kind: 'immutable', text: `${named} cannot be changed on an object that exists` }];
}

function definitionRisks({ ref, kind, fields }: ObjectChange): readonly Risk[] {
  if (ref.group !== 'apiextensions.k8s.io' || kind === 'removed') return [];
  if (kind === 'created') return [{ kind: 'definition', text: 'is a new definition' }];
  const versions = fields.filter(
    ({ path, to }) => /^spec\.versions\[name=[^\]]+\]$/.test(path) && to === undefined,
  );
  const gone = versions.map(({ path }) => /name=([^\]]+)/.exec(path)?.[1] ?? path);
  if (gone.length > 0) return [{ kind: 'definition', text: `no longer has the version ${gone.join(', ')}` }];
  const isSchema = fields.some(({ path }) => path.includes('.schema.'));
  return [{ kind: 'definition', text: isSchema ? 'has another schema' : 'changes' }];
}

function gained(head: KubeObject | undefined, base: KubeObject | undefined): readonly Risk[] {
  if (head === undefined) return [];
  const more = (of: (object: KubeObject) => ReadonlySet<string>): readonly string[] => [
    ...of(head).difference(base === undefined ? new Set() : of(base)),
  ];
  const privileges = [...more(podPrivileges), ...more(grantedRights)];
  if (privileges.length === 0) return [];
  return [{ kind: 'privilege', text: `gains ${privileges.slice(0, 5).join(', ')}` }];
}

function claimRisks({ ref, base, head, fields }: ObjectChange): readonly Risk[] {
  const [old, next] = [storageOf(base), storageOf(head)];
  if (ref.kind === 'PersistentVolumeClaim' && old !== undefined && next !== undefined && old !== next) {
    return [
      { kind: 'volume-claim', text: `asks for ${next} instead of ${old}; a claim can grow and never shrink` },
    ];
  }
  const isTemplate = fields.some(({ path }) => path.startsWith('spec.volumeClaimTemplates'));
  return isTemplate ? [{ kind: 'volume-claim', text: 'asks for other volumes' }] : [];
}

function storageOf(object: KubeObject | undefined): string | undefined {
  const value = ['spec', 'resources', 'requests', 'storage'].reduce<Json | undefined>(
    (found, name) => (isJsonObject(found) ? found[name] : undefined),
    object,
  );
  return typeof value === 'string' ? value : undefined;
}

function replicaRisks(fields: readonly FieldChange[]): readonly Risk[] {
  return fields.flatMap(({ path, from, to }): Risk[] => {
    if (path !== 'spec.replicas' && path !== 'spec.minReplicas') return [];
    if (typeof from !== 'number') return [];
    if (to === undefined && path === 'spec.replicas' && from > 1)
      return [
        {
          kind: 'replicas',
          text: `no longer says how many replicas; it was ${from}, and 1 is what the server makes of it where nothing scales it`,
        },
      ];
    if (typeof to !== 'number' || to >= from) return [];
    const word = path === 'spec.replicas' ? 'replicas' : 'replicas at least';
    return [{ kind: 'replicas', text: `has ${to} ${word} instead of ${from}` }];
  });
}

/** One that refuses everything when it is down can stop a whole cluster. */
function webhookRisks({ ref, kind, head }: ObjectChange): readonly Risk[] {
  if (kind === 'removed' || !/^(?:Validating|Mutating)WebhookConfiguration$/.test(ref.kind)) return [];
  const hooks: readonly Json[] = Array.isArray(head?.['webhooks']) ? head['webhooks'] : [];
  const isFailing = hooks.some((hook) => isJsonObject(hook) && hook['failurePolicy'] !== 'Ignore');
  return isFailing ? [{ kind: 'webhook', text: 'refuses what it judges whenever it does not answer' }] : [];
}
