import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareObjects } from '../../../core/compare/compare-objects.ts';
import { mermaidOf } from '../../../core/compare/mermaid.ts';
import { topologyOf } from '../../../core/compare/topology.ts';
import { describeRef, type KubeObject } from '../../../core/model/object.ts';
import { manifests } from '../policies/manifests.ts';

const ingress = `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec:
  tls: [{secretName: tls}]
  rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]
`;
const route = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: api, namespace: shop}
spec:
  parentRefs: [{name: edge, namespace: infra}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
`;
const service = `
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}}}
`;
const deployment = (env = 'web') => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      serviceAccountName: web
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
      containers:
        - name: web
          envFrom: [{configMapRef: {name: ${env}}}]
          env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}]
`;
const config = (name: string, value = '1') => `
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: shop}, data: {a: "${value}"}}
`;
const scaler = `
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web, namespace: shop}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}
`;
const rights = `
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: web, namespace: shop}, roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, name: web}]}
`;

function topology(base: string, head: string) {
  const [old, next]: readonly (readonly KubeObject[])[] = [manifests(base), manifests(head)];
  return topologyOf(old ?? [], next ?? [], compareObjects(old ?? [], next ?? []));
}

function drawn(base: string, head: string) {
  const found = topology(base, head);
  return {
    nodes: found?.nodes.map(({ ref, state }) => `${describeRef(ref)} ${state}`),
    edges: found?.edges.map(({ from, to, state }) => `${describeRef(from)} -> ${describeRef(to)} ${state}`),
  };
}

test('what leads to a change, and what it leads to', () => {
  const all = ingress + route + service + deployment() + config('web') + scaler + rights;
  assert.deepEqual(drawn(all, all.replace('tier: front', 'tier: back')), {
    nodes: [
      'ConfigMap shop/web same',
      'Deployment shop/web changed',
      'Gateway infra/edge elsewhere',
      'HTTPRoute shop/api same',
      'HorizontalPodAutoscaler shop/web same',
      'Ingress shop/shop same',
      'PersistentVolumeClaim shop/data elsewhere',
      'Secret shop/db elsewhere',
      'Service shop/web same',
      'ServiceAccount shop/web same',
    ],
    edges: [
      'Deployment shop/web -> ConfigMap shop/web same',
      'Deployment shop/web -> PersistentVolumeClaim shop/data same',
      'Deployment shop/web -> Secret shop/db same',
      'Deployment shop/web -> ServiceAccount shop/web same',
      'Gateway infra/edge -> HTTPRoute shop/api same',
      'HTTPRoute shop/api -> Service shop/web same',
      'HorizontalPodAutoscaler shop/web -> Deployment shop/web same',
      'Ingress shop/shop -> Service shop/web same',
      'Service shop/web -> Deployment shop/web same',
    ],
  });
});

test('a reference that comes and one that goes', () => {
  const { nodes, edges } = drawn(deployment('web') + config('web'), deployment('next') + config('next'));
  assert.deepEqual(nodes?.slice(0, 3), [
    'ConfigMap shop/next created',
    'ConfigMap shop/web removed',
    'Deployment shop/web changed',
  ]);
  assert.deepEqual(edges?.slice(0, 2), [
    'Deployment shop/web -> ConfigMap shop/next created',
    'Deployment shop/web -> ConfigMap shop/web removed',
  ]);
});

test('who gains rights', () => {
  assert.deepEqual(drawn('', rights).edges, [
    'RoleBinding shop/web -> ClusterRole view created',
    'ServiceAccount shop/web -> RoleBinding shop/web created',
  ]);
});

test('nothing where nothing hangs together, or nothing changes', () => {
  assert.equal(topology(config('a'), config('a', '2')), undefined);
  assert.equal(topology(service + deployment(), service + deployment()), undefined);
});

test('a picture that stays small, and says what it leaves out', () => {
  const many = Array.from({ length: 60 }, (_, index) =>
    deployment(`c${index}`).replace('name: web, namespace', `name: w${index}, namespace`),
  ).join('');
  const found = topology('', many);
  assert.deepEqual([found?.nodes.length, found?.more], [40, 83]);
  assert.match(found === undefined ? '' : mermaidOf(found), /\n {2}more\["and 83 more"\]:::elsewhere\n/);
});

test('Mermaid in which no name is syntax', () => {
  const hostile = `{apiVersion: v1, kind: Service, metadata: {name: 'a"]; click n0 href "javascript:1" %%<b>\`x\`', namespace: shop}, spec: {selector: {app: web}}}`;
  const found = topology(deployment(), `${deployment()}\n---\n${hostile}`);
  assert.equal(
    found === undefined ? '' : mermaidOf(found).split('\n  classDef')[0],
    `flowchart LR
  n0["Deployment<br/>web"]:::same
  n1["+ Service<br/>a··· click n0 href ·javascript:1· ···b··x·"]:::created
  n1 ==> n0`,
  );
});
