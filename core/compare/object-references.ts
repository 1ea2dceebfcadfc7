import type { Json, JsonObject } from '../model/json.ts';
import { membersOf, objectsOf, textOf } from '../model/json-parts.ts';
import { groupOf, refOf, type KubeObject, type ObjectRef } from '../model/object.ts';
import { podLabels, podSpecs } from './pod-specs.ts';

/** One object leads to another: traffic, or what it needs to run. */
export interface Reference {
  readonly from: ObjectRef;
  readonly to: ObjectRef;
}

/** What leads to what among objects, from the way in to what the Pods read; also to objects that are not among them. */
export function referencesAmong(objects: readonly KubeObject[]): readonly Reference[] {
  const workloads = objects.filter((object) => podLabels(object) !== undefined);
  return objects.flatMap((object) => [
    ...routes(object),
    ...selections(object, workloads),
    ...needs(object),
    ...grants(object),
  ]);
}

type Named = { readonly group?: string; readonly kind: string; readonly namespace?: string | undefined };

function refTo(
  object: KubeObject,
  { group = '', kind, namespace }: Named,
  name: Json | undefined,
): ObjectRef[] {
  return typeof name === 'string' && name !== ''
    ? [{ group, kind, namespace: namespace ?? object.metadata.namespace, name }]
    : [];
}

const gateway = 'gateway.networking.k8s.io';

function routes(object: KubeObject): readonly Reference[] {
  const from = refOf(object);
  const spec = membersOf(object['spec']);
  if (object.kind === 'Ingress') {
    const paths = objectsOf(spec['rules']).flatMap((rule) => objectsOf(membersOf(rule['http'])['paths']));
    const backends = [membersOf(spec['defaultBackend']), ...paths.map((path) => membersOf(path['backend']))];
    const services = backends.flatMap(({ service }) =>
      refTo(object, { kind: 'Service' }, membersOf(service)['name']),
    );
    const secrets = objectsOf(spec['tls']).flatMap(({ secretName }) =>
      refTo(object, { kind: 'Secret' }, secretName),
    );
    return [...services, ...secrets].map((to) => ({ from, to }));
  }
  if (groupOf(object.apiVersion) !== gateway) return [];
  const parents = objectsOf(spec['parentRefs']).flatMap((ref) => gatewayRef(object, ref, 'Gateway', gateway));
  const backends = objectsOf(spec['rules'])
    .flatMap((rule) => objectsOf(rule['backendRefs']))
    .flatMap((ref) => gatewayRef(object, ref, 'Service', ''));
  const certificates = objectsOf(spec['listeners'])
    .flatMap((listener) => objectsOf(membersOf(listener['tls'])['certificateRefs']))
    .flatMap((ref) => gatewayRef(object, ref, 'Secret', ''));
  return [
    ...parents.map((parent) => ({ from: parent, to: from })),
    ...[...backends, ...certificates].map((to) => ({ from, to })),
  ];
}

function gatewayRef(object: KubeObject, ref: JsonObject, kind: string, group: string): ObjectRef[] {
  const text = (name: string) => (typeof ref[name] === 'string' ? ref[name] : undefined);
  const named = { group: text('group') ?? group, kind: text('kind') ?? kind, namespace: text('namespace') };
  return refTo(object, named, ref['name']);
}

/** Of Services and the like, by the labels of the Pods. */
function selections(object: KubeObject, workloads: readonly KubeObject[]): readonly Reference[] {
  const spec = membersOf(object['spec']);
  const selector =
    object.kind === 'Service' && object.apiVersion === 'v1'
      ? spec['selector']
      : object.kind === 'PodDisruptionBudget'
        ? membersOf(spec['selector'])['matchLabels']
        : undefined;
  const wanted = Object.entries(membersOf(selector));
  if (wanted.length === 0) return [];
  return workloads
    .filter((workload) => workload.metadata.namespace === object.metadata.namespace)
    .filter((workload) => wanted.every(([key, value]) => podLabels(workload)?.[key] === value))
    .map((workload) => ({ from: refOf(object), to: refOf(workload) }));
}

/** What Pods read, and what scales a workload. */
function needs(object: KubeObject): readonly Reference[] {
  const from = refOf(object);
  const target = membersOf(membersOf(object['spec'])['scaleTargetRef']);
  const group = groupOf(textOf(target['apiVersion']));
  const scaled = refTo(object, { group, kind: textOf(target['kind']) }, target['name']);
  return [...scaled, ...podSpecs(object).flatMap((spec) => podNeeds(object, spec))].map((to) => ({
    from,
    to,
  }));
}

function podNeeds(object: KubeObject, spec: JsonObject): readonly ObjectRef[] {
  const configMap = (name: Json | undefined) => refTo(object, { kind: 'ConfigMap' }, name);
  const secret = (name: Json | undefined) => refTo(object, { kind: 'Secret' }, name);
  const volumes = objectsOf(spec['volumes']);
  const sources = [
    ...volumes,
    ...volumes.flatMap(({ projected }) => objectsOf(membersOf(projected)['sources'])),
  ].flatMap((volume) => [
    ...configMap(membersOf(volume['configMap'])['name']),
    ...secret(membersOf(volume['secret'])['secretName'] ?? membersOf(volume['secret'])['name']),
    ...refTo(
      object,
      { kind: 'PersistentVolumeClaim' },
      membersOf(volume['persistentVolumeClaim'])['claimName'],
    ),
  ]);
  const containers = ['initContainers', 'containers'].flatMap((list) => objectsOf(spec[list]));
  const variables = containers.flatMap(({ env, envFrom }) => [
    ...objectsOf(envFrom).flatMap(({ configMapRef, secretRef }) => [
      ...configMap(membersOf(configMapRef)['name']),
      ...secret(membersOf(secretRef)['name']),
    ]),
    ...objectsOf(env)
      .map(({ valueFrom }) => membersOf(valueFrom))
      .flatMap(({ configMapKeyRef, secretKeyRef }) => [
        ...configMap(membersOf(configMapKeyRef)['name']),
        ...secret(membersOf(secretKeyRef)['name']),
      ]),
  ]);
  const account = spec['serviceAccountName'];
  return [
    ...(account === 'default' ? [] : refTo(object, { kind: 'ServiceAccount' }, account)),
    ...sources,
    ...variables,
    ...objectsOf(spec['imagePullSecrets']).flatMap(({ name }) => secret(name)),
  ];
}

/** Who gets which rights: account, binding, role. */
function grants(object: KubeObject): readonly Reference[] {
  const group = 'rbac.authorization.k8s.io';
  if (groupOf(object.apiVersion) !== group || !object.kind.endsWith('Binding')) return [];
  const binding = refOf(object);
  const { kind, name } = membersOf(object['roleRef']);
  const isOfCluster = kind === 'ClusterRole';
  const roles = refTo(object, { group, kind: textOf(kind) }, name).map((role) =>
    isOfCluster ? { ...role, namespace: undefined } : role,
  );
  const accounts = objectsOf(object['subjects'])
    .filter((subject) => subject['kind'] === 'ServiceAccount')
    .flatMap(({ name: account, namespace }) =>
      refTo(object, { kind: 'ServiceAccount', ...(typeof namespace === 'string' && { namespace }) }, account),
    );
  return [...accounts.map((from) => ({ from, to: binding })), ...roles.map((to) => ({ from: binding, to }))];
}
