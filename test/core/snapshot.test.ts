import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Stop } from '../../core/errors.ts';
import { kubeObjectSchema, type KubeObject } from '../../core/model/object.ts';
import {
  canonicalObjects,
  contentDigest,
  decodeSnapshot,
  encodeSnapshot,
  openObjects,
  sealSnapshot,
  sealedDigest,
} from '../../core/snapshot.ts';
import { readYaml } from '../../core/yaml/read-yaml.ts';
import { MemorySealer } from '../fakes/memory-sealer.ts';
import { commitOf } from '../fakes/memory-worktree.ts';

function objectsIn(text: string): KubeObject[] {
  return readYaml('x.yaml', text).map(({ value }) => kubeObjectSchema.parse(value));
}

const provenance = {
  commit: commitOf('1'.repeat(40)),
  renderer: 'plain' as const,
  versions: { trueup: '0' },
  inputDigest: 'sha256:0',
  origins: {},
};

function contentOf(text: string) {
  return { application: 'web', namespace: 'web', objects: canonicalObjects(objectsIn(text)) };
}

const canonical: { why: string; from: string; to: string }[] = [
  {
    why: 'what only a server writes is left out',
    from: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  uid: 1-2
  resourceVersion: "7"
  generation: 3
  selfLink: /apis
  creationTimestamp: null
  managedFields: [{manager: kubectl}]
  labels: {app: a}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"hunter2": 1}'
    team: web
spec: {replicas: 2}
status: {readyReplicas: 2}
`,
    to: `apiVersion: apps/v1
kind: Deployment
metadata: {name: a, labels: {app: a}, annotations: {team: web}}
spec: {replicas: 2}
`,
  },
  {
    why: 'annotations that are empty then go with it',
    from: `apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {kubectl.kubernetes.io/last-applied-configuration: x}}
`,
    to: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  },
  {
    why: 'stringData becomes data and wins over it, and base64 has no line ends',
    from: `apiVersion: v1
kind: Secret
metadata: {name: a}
type: Opaque
stringData: {both: new, text: é}
data: {both: b2xk, folded: "aGVs\\nbG8="}
`,
    to: `apiVersion: v1
kind: Secret
metadata: {name: a}
type: Opaque
data: {both: bmV3, text: w6k=, folded: aGVsbG8=}
`,
  },
  {
    why: 'a Secret without values stays one',
    from: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\nstringData: {}\n',
    to: 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n',
  },
  {
    why: 'stringData elsewhere is a field like any other',
    from: 'apiVersion: x.example/v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: b}\n',
    to: 'apiVersion: x.example/v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: b}\n',
  },
];
for (const { why, from, to } of canonical) {
  test(`canonical objects: ${why}`, () => {
    assert.deepEqual(canonicalObjects(objectsIn(from)), objectsIn(to));
  });
}

test('canonical objects are sorted by group, kind, namespace and name', () => {
  const texts = [
    'apiVersion: v1\nkind: Service\nmetadata: {name: b}\n',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, namespace: a}\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  ];
  const names = (some: string[]) =>
    canonicalObjects(objectsIn(some.join('---\n'))).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  assert.deepEqual(names(texts), ['ConfigMap b', 'ConfigMap z', 'Service b', 'Deployment a']);
  assert.deepEqual(names(texts.toReversed()), names(texts));
});

const secret = `apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: hunter2, user: ada}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast}
`;

test('the digest is that of the content: not of order, place or sealing', async () => {
  const sealer = new MemorySealer();
  const digest = await contentDigest(contentOf(secret), sealer);
  const other = secret
    .split('---\n')
    .toReversed()
    .join('---\n')
    .replace(
      'stringData: {password: hunter2, user: ada}',
      'data: {user: YWRh}\nstringData: {password: hunter2}',
    );
  assert.equal(await contentDigest(contentOf(other), sealer), digest);
  assert.notEqual(await contentDigest(contentOf(secret.replace('hunter2', 'hunter3')), sealer), digest);
  assert.notEqual(await contentDigest(contentOf(secret.replace('fast', 'slow')), sealer), digest);
  assert.notEqual(await contentDigest({ ...contentOf(secret), namespace: 'other' }, sealer), digest);
  assert.equal(sealer.dataKeys, 0);
});

test('secret values are sealed at rest, opened for applying, and equal under a new data key', async () => {
  const sealer = new MemorySealer();
  const content = contentOf(secret);
  const digest = await contentDigest(content, sealer);
  const [once, twice] = [
    await sealSnapshot(content, provenance, sealer),
    await sealSnapshot(content, provenance, sealer),
  ];
  const texts = [once, twice].map(encodeSnapshot);
  assert.notEqual(texts[0], texts[1]);
  for (const text of texts) {
    assert.ok(!/hunter2|aHVudGVyMg==|YWRh/.test(text));
    const snapshot = decodeSnapshot(digest, text);
    assert.deepEqual(await openObjects(snapshot, sealer), content.objects);
  }
  const values = z.record(z.string(), z.string());
  const password = ({ objects }: typeof once) => {
    const data = values.parse(objects.find(({ kind }) => kind === 'Secret')?.['data']);
    return sealedDigest(data['password'] ?? '');
  };
  assert.match(password(once) ?? '', /^hmac:[0-9a-f]{64}$/);
  assert.equal(password(once), password(twice));
  assert.equal(sealedDigest('aHVudGVyMg=='), undefined);
});

test('a snapshot without secrets asks for no key', async () => {
  const sealer = new MemorySealer();
  const content = contentOf('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  const snapshot = await sealSnapshot(content, provenance, sealer);
  assert.equal(snapshot.sealing, undefined);
  assert.equal(sealer.dataKeys, 0);
  assert.deepEqual(await openObjects(snapshot, sealer), content.objects);
});

const damages: { why: string; change: (text: string) => string; says: RegExp }[] = [
  { why: 'cut short', change: (text) => text.slice(0, -1), says: /is not JSON; it is rendered anew/ },
  {
    why: 'of another shape',
    change: (text) => text.replace('"version":1', '"version":9'),
    says: /another version of trueup/,
  },
  {
    why: 'with another value',
    change: (text) => text.replace('fast', 'slow'),
    says: /does not match its digest/,
  },
  {
    why: 'with a secret value of another snapshot',
    change: (text) =>
      text.replace(/hmac:[0-9a-f]/, (start) => start.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))),
    says: /does not match its digest/,
  },
];
for (const { why, change, says } of damages) {
  test(`a stored snapshot is refused when it is ${why}`, async () => {
    const sealer = new MemorySealer();
    const digest = await contentDigest(contentOf(secret), sealer);
    const text = encodeSnapshot(await sealSnapshot(contentOf(secret), provenance, sealer));
    assert.throws(
      () => decodeSnapshot(digest, change(text)),
      (error: Error) => error instanceof Stop && says.test(error.message),
    );
  });
}
