import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { driftOf, isExtra } from '../../../core/drift/object-drift.ts';
import { jsonObjectSchema, type JsonObject } from '../../../core/model/json.ts';
import type { FieldDrift } from '../../../core/model/drift.ts';
import { defaultSettings } from '../../../core/model/desired.ts';
import { Policy } from '../../../core/policy.ts';
import { liveObject, merged, without } from './applied.ts';

/**
 * `desired` is what we applied, `live` what stands, `others` who else owns what. `ours` is what we own of the live
 * object (all of `desired` unless said), `goes` what a new apply would take away. Expected: `class path desired -> live manager`.
 */
const cases = `
- case: nothing happened
  desired: {spec: {replicas: 2, containers: [{name: app, image: 'a:1'}]}}
  live:    {spec: {replicas: 2, containers: [{name: app, image: 'a:1', pullPolicy: Always}]}, status: {ready: 2}}
  others:  {kube-controller-manager: {fields: {status: {ready: 2}}, subresource: status}}
  drift: []

- case: a person changed an image
  desired: {spec: {containers: [{name: app, image: 'a:1'}, {name: log, image: 'l:1'}]}}
  live:    {spec: {containers: [{name: app, image: 'a:2'}, {name: log, image: 'l:1'}]}}
  ours:    {spec: {containers: [{name: app}, {name: log, image: 'l:1'}]}}
  others:  {kubectl-edit: {fields: {spec: {containers: [{name: app, image: 'a:2'}]}}, time: '2026-11-23T11:30:00Z'}}
  drift:   ['changed spec.containers[name="app"].image "a:1" -> "a:2" kubectl-edit']

- case: the newest of several owners is named
  desired: {spec: {replicas: 2}}
  live:    {spec: {replicas: 9}}
  ours:    {}
  others:
    kubectl: {fields: {spec: {replicas: 9}}, subresource: scale, time: '2026-11-23T11:30:00Z'}
    kubectl-edit: {fields: {spec: {replicas: 9}}, time: '2026-11-23T11:10:00Z'}
  drift:
    - 'changed spec.replicas 2 -> 9 kubectl'
    - 'ownership metadata.managedFields'

- case: replicas that an autoscaler owns and Git does not set
  desired: {spec: {image: a}}
  live:    {spec: {image: a, replicas: 7}}
  others:  {kube-controller-manager: {fields: {spec: {replicas: 7}}, subresource: scale}}
  drift: []

- case: replicas that an autoscaler changed though Git sets them
  desired: {spec: {image: a, replicas: 2}}
  live:    {spec: {image: a, replicas: 7}}
  ours:    {spec: {image: a}}
  others:  {kube-controller-manager: {fields: {spec: {replicas: 7}}, subresource: scale}}
  drift:   ['changed spec.replicas 2 -> 7 kube-controller-manager']

- case: a field was taken away
  desired: {spec: {image: a, paused: true}}
  live:    {spec: {image: a}}
  ours:    {spec: {image: a}}
  drift:   ['removed spec.paused true']

- case: a whole map was taken away, and each of our keys is told
  desired: {metadata: {labels: {app: web, tier: front}}, spec: {image: a}}
  live:    {spec: {image: a}}
  ours:    {spec: {image: a}}
  drift:
    - 'removed metadata.labels.app "web"'
    - 'removed metadata.labels.tier "front"'

- case: a list item was taken away, told as one
  desired: {spec: {containers: [{name: app, image: a}, {name: log, image: l, args: [x]}]}}
  live:    {spec: {containers: [{name: app, image: a}]}}
  ours:    {spec: {containers: [{name: app, image: a}]}}
  drift:   ['removed spec.containers[name="log"] {"name":"log","image":"l","args":["x"]}']

- case: an atomic list is one path
  desired: {spec: {args: [--a, --b]}}
  live:    {spec: {args: [--a, --c]}}
  ours:    {spec: {}}
  others:  {kubectl-edit: {fields: {spec: {args: []}}}}
  drift:
    - 'changed spec.args ["--a","--b"] -> ["--a","--c"] kubectl-edit'

- case: items of ours in another order
  desired: {spec: {inits: [{name: a, image: i}, {name: b, image: i}]}}
  live:    {spec: {inits: [{name: b, image: i}, {name: a, image: i}]}}
  drift:   ['changed spec.inits ["[name=\\"a\\"]","[name=\\"b\\"]"] -> ["[name=\\"b\\"]","[name=\\"a\\"]"]']

- case: an item of others between ours is no other order
  desired: {spec: {env: [{name: A, value: '1'}, {name: B, value: '2'}]}}
  live:    {spec: {env: [{name: A, value: '1'}, {name: X, value: x}, {name: B, value: '2'}]}}
  others:  {kubelet: {fields: {spec: {env: [{name: X, value: x}]}}}}
  drift: []

- case: somebody forced a field and left its value
  desired: {spec: {image: a, replicas: 2}}
  live:    {spec: {image: a, replicas: 2}}
  ours:    {spec: {image: a}}
  others:  {rival: {fields: {spec: {replicas: 2}}}}
  drift:   ['ownership spec.replicas 2 -> 2 rival']

- case: a co-owner who agrees with us
  desired: {spec: {image: a, replicas: 2}}
  live:    {spec: {image: a, replicas: 2}}
  others:  {rival: {fields: {spec: {replicas: 2}}}}
  drift: []

- case: ours no longer desired, and it would go
  desired: {spec: {image: a}}
  live:    {spec: {image: a, paused: true}}
  ours:    {spec: {image: a, paused: true}}
  goes:    {spec: {paused: {}}}
  drift:   ['dropped spec.paused -> true']

- case: ours no longer desired, and a co-owner keeps it
  desired: {spec: {image: a}}
  live:    {spec: {image: a, paused: true}}
  ours:    {spec: {image: a, paused: true}}
  others:  {rival: {fields: {spec: {paused: true}}}}
  drift:   ['foreign spec.paused -> true rival']

- case: a hand-added annotation
  desired: {spec: {image: a}}
  live:    {metadata: {annotations: {'example.com/note': hello}}, spec: {image: a}}
  others:  {kubectl-annotate: {fields: {metadata: {annotations: {'example.com/note': hello}}}}}
  drift:   ['foreign metadata.annotations["example.com/note"] -> "hello" kubectl-annotate']

- case: an injected container is told as one
  desired: {spec: {containers: [{name: app, image: a}]}}
  live:    {spec: {containers: [{name: app, image: a}, {name: mesh, image: m}]}}
  others:  {injector: {fields: {spec: {containers: [{name: mesh, image: m}]}}}}
  drift:   ['foreign spec.containers[name="mesh"] -> {"name":"mesh","image":"m"} injector']

- case: what a known controller co-owns is not foreign
  desired: {spec: {image: a}}
  live:    {metadata: {annotations: {deployment.kubernetes.io/revision: '3'}}, spec: {image: a}}
  others:
    kubectl-edit: {fields: {metadata: {annotations: {deployment.kubernetes.io/revision: '3'}}}}
    kube-controller-manager: {fields: {metadata: {annotations: {deployment.kubernetes.io/revision: '3'}}}}
  drift: []

- case: status written without its subresource
  desired: {spec: {image: a}}
  live:    {spec: {image: a}, status: {phase: Done}}
  others:  {some-operator: {fields: {status: {phase: Done}}}}
  drift: []

- case: kubectl rollout restart
  desired: {spec: {template: {image: a}}}
  live:    {spec: {template: {image: a, annotations: {kubectl.kubernetes.io/restartedAt: now}}}}
  others:  {kubectl-rollout: {fields: {spec: {template: {annotations: {kubectl.kubernetes.io/restartedAt: now}}}}}}
  drift: []

- case: a restart after Git itself recorded one
  desired: {spec: {template: {image: a, annotations: {kubectl.kubernetes.io/restartedAt: then}}}}
  live:    {spec: {template: {image: a, annotations: {kubectl.kubernetes.io/restartedAt: now}}}}
  ours:    {spec: {template: {image: a}}}
  others:  {kubectl-rollout: {fields: {spec: {template: {annotations: {kubectl.kubernetes.io/restartedAt: now}}}}}}
  drift: []

- case: managedFields were wiped
  desired: {spec: {image: a, replicas: 2}}
  live:    {spec: {image: a, replicas: 3}}
  ours:    {}
  drift:
    - 'changed spec.replicas 2 -> 3'
    - 'ownership metadata.managedFields'

- case: null in a manifest asks for nothing
  desired: {metadata: {creationTimestamp: null}, spec: {image: a}}
  live:    {metadata: {creationTimestamp: '2026-11-23T10:00:00Z'}, spec: {image: a}}
  ours:    {spec: {image: a}}
  drift: []

- case: values of a Secret never show
  desired: {apiVersion: v1, kind: Secret, data: {password: c2VjcmV0, user: dXNlcg==}}
  live:    {apiVersion: v1, kind: Secret, data: {password: b3RoZXI=, user: dXNlcg==, extra: bW9yZQ==}}
  ours:    {data: {user: dXNlcg==}}
  others:  {kubectl-edit: {fields: {data: {password: b3RoZXI=, extra: bW9yZQ==}}}}
  drift:
    - 'changed data.password "keyed(8)" -> "keyed(8)" kubectl-edit'
    - 'foreign data.extra -> "keyed(8)" kubectl-edit'

- case: nor do its annotations, in which any tool may keep a copy of the manifest
  desired: {apiVersion: v1, kind: Secret, metadata: {annotations: {team: a}}}
  live:    {apiVersion: v1, kind: Secret, metadata: {annotations: {team: b, kapp.k14s.io/original: '{"data":{}}'}}}
  others:  {kapp: {fields: {metadata: {annotations: {team: b, kapp.k14s.io/original: x}}}}}
  drift:
    - 'changed metadata.annotations.team "keyed(1)" -> "keyed(1)" kapp'
    - 'foreign metadata.annotations["kapp.k14s.io/original"] -> "keyed(11)" kapp'

- case: kubectl's copy of a manifest never shows
  desired: {spec: {image: a}}
  live:    {metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: 'data: secret'}}, spec: {image: a}}
  others:  {kubectl-client-side-apply: {fields: {metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: x}}}}}
  drift:   ['foreign metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] -> "keyed(12)" kubectl-client-side-apply']
`;

const claim = z.object({
  fields: jsonObjectSchema,
  time: z.string().optional(),
  subresource: z.string().optional(),
});
const caseSchema = z.strictObject({
  case: z.string(),
  desired: jsonObjectSchema,
  live: jsonObjectSchema,
  ours: jsonObjectSchema.optional(),
  others: z.record(z.string(), claim).default({}),
  goes: jsonObjectSchema.optional(),
  drift: z.array(z.string()),
});

function told({ class: kind, path, desired, live, manager }: FieldDrift): string {
  const values = [
    desired === undefined ? '' : JSON.stringify(desired),
    live === undefined ? '' : `-> ${JSON.stringify(live)}`,
  ];
  return [kind, path, ...values, manager ?? ''].filter(Boolean).join(' ');
}

const mask = (secret: string) => `keyed(${secret.length})`;
const anything = liveObject({}, []);
const context = { mask, policy: new Policy(defaultSettings), desired: anything };

for (const { case: name, desired, live, ours, others, goes, drift } of z
  .array(caseSchema)
  .parse(load(cases))) {
  test(`drift: ${name}`, () => {
    const rivals = Object.entries(others).map(([manager, { fields, time, subresource }]) => ({
      manager,
      fields,
      ...(time === undefined ? {} : { time }),
      ...(subresource === undefined ? {} : { subresource }),
    }));
    const own = ours ?? desired;
    const isOwner = Object.keys(own).length > 0;
    const now = liveObject(live, [...(isOwner ? [{ manager: 'trueup', fields: own }] : []), ...rivals]);
    const applied = z
      .custom<JsonObject>()
      .parse(merged(goes === undefined ? live : without(live, goes), desired));
    const verdict = driftOf(
      now,
      liveObject(applied, [{ manager: 'trueup', fields: desired }, ...rivals]),
      context,
    );
    const fields = verdict.kind === 'drifted' ? verdict.drift.fields.map(told) : [];
    assert.deepEqual(fields, drift);
    assert.equal(verdict.kind, drift.length === 0 ? 'clean' : 'drifted');
  });
}

test('drift: our fields written under another version of the kind are not compared', () => {
  const desired = { spec: { image: 'a' } };
  const old = liveObject(desired, [{ manager: 'trueup', fields: { spec: { oldName: 'a' } } }]);
  const entries = (old.metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    apiVersion: 'example.dev/v1beta1',
  }));
  const live = { ...old, metadata: { ...old.metadata, managedFields: entries } };
  assert.deepEqual(driftOf(live, liveObject(desired, [{ manager: 'trueup', fields: desired }]), context), {
    kind: 'clean',
  });
});

test('drift: an answer without our fields is unknown, never clean', () => {
  const object = liveObject({ spec: { image: 'a' } }, []);
  assert.equal(driftOf(object, object, context).kind, 'unknown');
});

test('drift: a long atomic value is narrowed to what differs', () => {
  const text = 'x'.repeat(2000);
  const versions = (description: string) => [
    { name: 'v1', schema: { filler: text, description } },
    { name: 'v2', schema: { filler: text } },
  ];
  const withSpec = (description: string) => ({ spec: { versions: { items: versions(description) } } });
  const fields = { spec: { versions: {} } };
  const live = liveObject(withSpec('by hand'), [{ manager: 'kubectl-edit', fields }]);
  const verdict = driftOf(live, liveObject(withSpec('from Git'), [{ manager: 'trueup', fields }]), context);
  assert.ok(verdict.kind === 'drifted');
  assert.deepEqual(verdict.drift.fields.map(told), [
    'changed spec.versions.items[0].schema.description "from Git" -> "by hand" kubectl-edit',
    'ownership metadata.managedFields',
  ]);
});

test('drift: a long value that cannot be narrowed is cut, with its length and digest', () => {
  const withText = (text: string) => ({ data: { key: text } });
  const fields = { data: { key: '' } };
  const live = liveObject(withText('b'.repeat(5000)), [{ manager: 'trueup', fields }]);
  const verdict = driftOf(
    live,
    liveObject(withText('a'.repeat(5000)), [{ manager: 'trueup', fields }]),
    context,
  );
  assert.ok(verdict.kind === 'drifted');
  const shown = JSON.stringify(verdict.drift.fields[0]?.live);
  assert.match(shown, /b{900}.*5002 characters, sha256:[0-9a-f]{64}/);
  assert.ok(shown.length < 1200);
});

const label = { metadata: { labels: { 'trueup.dev/application': 'web' } } };

test('extra: a copy that a person made counts, what controllers make does not', () => {
  const copy = liveObject(label, [{ manager: 'kubectl-create', fields: label }]);
  assert.equal(isExtra(copy), true);
  assert.equal(isExtra(liveObject(label, [{ manager: 'kube-controller-manager', fields: label }])), false);
  const ownerReferences = [{ controller: true, kind: 'Service', name: 'web' }];
  const owned = { ...copy, metadata: { ...copy.metadata, ownerReferences } };
  assert.equal(isExtra(owned), false);
});
