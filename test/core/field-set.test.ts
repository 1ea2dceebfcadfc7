import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { z } from 'zod';
import { describePath, valueAt } from '../../core/field-set.ts';
import { jsonSchema } from '../../core/model/json.ts';

const object = load(`
metadata:
  labels: {app.kubernetes.io/name: web, app: web}
  finalizers: [example.com/a, example.com/b]
spec:
  ports:
    - {port: 53, protocol: UDP, name: dns}
    - {port: 53, protocol: TCP, name: dns-tcp}
    - {port: 80, name: web}
  weights: [1, 2]
`);

/** `value` as JSON, or nothing where nothing lies there. */
const table = `
- {edges: ['f:metadata', 'f:labels', 'f:app'], text: metadata.labels.app, value: web}
- {edges: ['f:metadata', 'f:labels', 'f:app.kubernetes.io/name'], text: 'metadata.labels["app.kubernetes.io/name"]', value: web}
- {edges: ['f:metadata', 'f:labels', 'f:toString'], text: metadata.labels.toString}
- {edges: ['f:metadata', 'f:finalizers', 'v:"example.com/b"'], text: 'metadata.finalizers[="example.com/b"]', value: example.com/b}
- {edges: ['f:metadata', 'f:finalizers', 'v:"example.com/c"'], text: 'metadata.finalizers[="example.com/c"]'}
- {edges: ['f:spec', 'f:ports', 'k:{"port":53,"protocol":"TCP"}', 'f:name'], text: 'spec.ports[port=53,protocol="TCP"].name', value: dns-tcp}
- {edges: ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'], text: 'spec.ports[port=80,protocol="TCP"].name', value: web}
- {edges: ['f:spec', 'f:ports', 'k:{"port":81,"protocol":"TCP"}'], text: 'spec.ports[port=81,protocol="TCP"]'}
- {edges: ['f:spec', 'f:weights', 'i:1'], text: 'spec.weights[1]', value: 2}
- {edges: ['f:spec', 'f:weights', 'v:2'], text: 'spec.weights[=2]', value: 2}
- {edges: ['f:spec', 'f:weights', 'x:new'], text: 'spec.weights[=new]'}
`;

const cases = z.array(
  z.object({ edges: z.array(z.string()), text: z.string(), value: jsonSchema.optional() }),
);

describe('a path of managedFields', () => {
  for (const { edges, text, value } of cases.parse(load(table))) {
    it(`${text} leads to ${value === undefined ? 'nothing' : JSON.stringify(value)}`, () => {
      assert.equal(describePath(edges), text);
      assert.deepEqual(valueAt(jsonSchema.parse(object), edges), value);
    });
  }
});
