import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import { pathFromText, withoutPath } from '../../../core/apply/conflict-path.ts';
import { jsonSchema } from '../../../core/model/json.ts';

const object = jsonSchema.parse(
  load(`
    metadata:
      labels: { app.kubernetes.io/name: a, app: b }
      finalizers: [example.org/a, example.org/b]
    spec:
      replicas: 2
      ports: [{ port: 80, protocol: TCP, name: 'a]b' }]
      containers: [{ name: app, image: a, args: [x, y] }, { name: side }]
    data: { 'a.b[0].c': x, a: y }
  `),
);

describe('paths as the API server writes them', () => {
  const cases: Readonly<Record<string, readonly string[] | undefined>> = {
    '.spec.replicas': ['f:spec', 'f:replicas'],
    '.metadata.labels.app.kubernetes.io/name': ['f:metadata', 'f:labels', 'f:app.kubernetes.io/name'],
    '.metadata.labels.app': ['f:metadata', 'f:labels', 'f:app'],
    '.metadata.finalizers[="example.org/b"]': ['f:metadata', 'f:finalizers', 'v:"example.org/b"'],
    '.spec.containers[name="app"].image': ['f:spec', 'f:containers', 'k:{"name":"app"}', 'f:image'],
    '.spec.ports[port=80,protocol="TCP"].name': [
      'f:spec',
      'f:ports',
      'k:{"port":80,"protocol":"TCP"}',
      'f:name',
    ],
    '.spec.containers[name="app"].args[1]': ['f:spec', 'f:containers', 'k:{"name":"app"}', 'f:args', 'i:1'],
    '.data.a.b[0].c': ['f:data', 'f:a.b[0].c'],
    '.spec.absent': undefined,
    '.spec.containers[name="absent"].image': undefined,
  };
  for (const [text, path] of Object.entries(cases)) {
    test(text, () => {
      assert.deepEqual(pathFromText(object, text), path);
    });
  }
});

describe('an object without what is at a path', () => {
  const without = (yaml: string, text: string) => {
    const value = jsonSchema.parse(load(yaml));
    return withoutPath(value, pathFromText(value, text) ?? []);
  };
  test('loses maps that have nothing left', () => {
    assert.deepEqual(without('{ a: { b: { c: 1 } }, d: 2 }', '.a.b.c'), { d: 2 });
  });
  test('keeps a list item by its keys, and the others in order', () => {
    assert.deepEqual(without('{ l: [{ name: a, v: 1 }, { name: b, v: 2 }] }', '.l[name="a"].v'), {
      l: [{ name: 'a' }, { name: 'b', v: 2 }],
    });
  });
  test('loses a whole item, and the list with its last one', () => {
    assert.deepEqual(without('{ l: [{ name: a }], m: 1 }', '.l[name="a"]'), { m: 1 });
  });
});
