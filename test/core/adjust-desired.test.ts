import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { adjustDesired } from '../../core/adjust-desired.ts';
import { defaultSettings } from '../../core/model/desired.ts';
import { jsonObjectSchema } from '../../core/model/json.ts';
import type { LiveObject } from '../../core/model/object.ts';
import { ruleSchema } from '../../core/model/rule.ts';
import { Policy } from '../../core/policy.ts';

const scenarioSchema = z.strictObject({
  rules: ruleSchema.array(),
  git: jsonObjectSchema,
  live: jsonObjectSchema,
  owners: z.record(z.string(), jsonObjectSchema).describe('field set of each manager; ours is trueup'),
});

function adjusted(yaml: string, heals = false) {
  const { rules, git, live, owners } = scenarioSchema.parse(load(yaml));
  const common = { apiVersion: 'v1', kind: 'Thing' };
  const metadata = { name: 'a', namespace: 'web' };
  const managedFields = Object.entries(owners).map(([manager, fieldsV1]) => ({
    manager,
    operation: manager === 'trueup' ? 'Apply' : 'Update',
    fieldsV1,
  }));
  const found: LiveObject = {
    ...common,
    ...live,
    metadata: { ...metadata, uid: 'u', resourceVersion: '1', managedFields },
  };
  const policy = new Policy({ ...defaultSettings, rules });
  const { object, yielded } = adjustDesired({ ...common, metadata, ...git }, found, policy, { heals });
  return {
    spec: object['spec'],
    yielded: yielded.map(({ field, manager }) => `${field} ${manager}`),
    object,
  };
}

describe('what is sent of a field that a rule ignores', () => {
  const cases = {
    'nothing when another manager has it': [
      `
       rules: [{ fields: [/spec/a], drift: ignore }]
       git: { spec: { a: 1, b: 2 } }
       live: { spec: { a: 5, b: 2 } }
       owners: { hpa: { f:spec: { f:a: {} } }, trueup: { f:spec: { f:b: {} } } }`,
      { b: 2 },
      ['spec.a hpa'],
    ],
    'the live value when it is ours alone': [
      `
       rules: [{ fields: [/spec/a], drift: ignore }]
       git: { spec: { a: 1 } }
       live: { spec: { a: 5 } }
       owners: { trueup: { f:spec: { f:a: {} } } }`,
      { a: 5 },
      [],
    ],
    'the desired value when the cluster has none': [
      `
       rules: [{ fields: [/spec/a], drift: ignore }]
       git: { spec: { a: 1, b: 2 } }
       live: { spec: { b: 2 } }
       owners: { trueup: { f:spec: { f:b: {} } } }`,
      { a: 1, b: 2 },
      [],
    ],
    'no empty map when all of it is others': [
      `
       rules: [{ fields: [/spec/a], drift: ignore }]
       git: { spec: { a: { x: 1, y: 2 }, b: 2 } }
       live: { spec: { a: { x: 7, y: 8 }, b: 2 } }
       owners: { other: { f:spec: { f:a: { f:x: {}, f:y: {} } } }, trueup: { f:spec: { f:b: {} } } }`,
      { b: 2 },
      ['spec.a.x other', 'spec.a.y other'],
    ],
    'the keys of a list item of which other fields go': [
      `
       rules: [{ fields: ['/spec/list/[name="one"]/v'], drift: ignore }]
       git: { spec: { list: [{ name: one, v: 1 }, { name: two, v: 2 }] } }
       live: { spec: { list: [{ name: zero }, { name: one, v: 9 }, { name: two, v: 2 }] } }
       owners:
         other: { f:spec: { f:list: { 'k:{"name":"one"}': { f:v: {} } } } }
         trueup: { f:spec: { f:list: { 'k:{"name":"one"}': { .: {}, f:name: {} }, 'k:{"name":"two"}': { .: {}, f:name: {}, f:v: {} } } } }`,
      { list: [{ name: 'one' }, { name: 'two', v: 2 }] },
      ['spec.list[name="one"].v other'],
    ],
    'not even a list item that another manager has as a whole': [
      `
       rules: [{ fields: ['/spec/list/[name="one"]'], drift: ignore }]
       git: { spec: { list: [{ name: one, v: 1 }, { name: two, v: 2 }] } }
       live: { spec: { list: [{ name: one, v: 9 }, { name: two, v: 2 }] } }
       owners:
         other: { f:spec: { f:list: { 'k:{"name":"one"}': { .: {}, f:name: {}, f:v: {} } } } }
         trueup: { f:spec: { f:list: { 'k:{"name":"two"}': { .: {}, f:name: {}, f:v: {} } } } }`,
      { list: [{ name: 'two', v: 2 }] },
      ['spec.list[name="one"].v other'],
    ],
    'a list item that is new in Git, whatever the rule': [
      `
       rules: [{ fields: ['/spec/list/*/v'], drift: ignore }]
       git: { spec: { list: [{ name: new, v: 1 }] } }
       live: { spec: { list: [{ name: old, v: 9 }] } }
       owners: { other: { f:spec: { f:list: { 'k:{"name":"old"}': { .: {}, f:v: {} } } } } }`,
      { list: [{ name: 'new', v: 1 }] },
      [],
    ],
    'the live part of a list that is owned as one': [
      `
       rules: [{ fields: [/spec/list/*/weight], drift: ignore }]
       git: { spec: { list: [{ host: a, weight: 100 }, { host: b, weight: 0 }] } }
       live: { spec: { list: [{ host: a, kind: Service, weight: 70 }, { host: b, kind: Service, weight: 30 }] } }
       owners: { flagger: { f:spec: { f:list: {} } } }`,
      {
        list: [
          { host: 'a', weight: 70 },
          { host: 'b', weight: 30 },
        ],
      },
      [],
    ],
    'the live part of the same item when Git puts such a list into another order': [
      `
       rules: [{ fields: [/spec/list/*/weight], drift: ignore }]
       git: { spec: { list: [{ host: b, weight: 0 }, { host: a, weight: 100 }] } }
       live: { spec: { list: [{ host: a, weight: 70 }, { host: b, weight: 30 }] } }
       owners: { flagger: { f:spec: { f:list: {} } } }`,
      {
        list: [
          { host: 'b', weight: 30 },
          { host: 'a', weight: 70 },
        ],
      },
      [],
    ],
    'all of such a list when its items are others, or two look the same': [
      `
       rules: [{ fields: [/spec/*/*/weight], drift: ignore }]
       git:
         spec:
           one: [{ host: c, weight: 100 }, { host: a, weight: 0 }]
           two: [{ host: b, weight: 1 }, { host: a, weight: 2 }, { host: a, weight: 3 }]
       live:
         spec:
           one: [{ host: a, weight: 70 }, { host: b, weight: 30 }]
           two: [{ host: a, weight: 5 }, { host: a, weight: 6 }, { host: b, weight: 7 }]
       owners: { flagger: { f:spec: { f:one: {}, f:two: {} } } }`,
      {
        one: [
          { host: 'c', weight: 100 },
          { host: 'a', weight: 0 },
        ],
        two: [
          { host: 'b', weight: 1 },
          { host: 'a', weight: 2 },
          { host: 'a', weight: 3 },
        ],
      },
      [],
    ],
    'all of such a list when one of its items became another, or lost a field': [
      `
       rules: [{ fields: [/spec/*/*/weight], drift: ignore }]
       git:
         spec:
           one: [{ host: a, weight: 100 }, { host: c, weight: 0 }]
           two: [{ to: { host: a }, weight: 100 }, { to: { host: a, set: v2 }, weight: 0 }]
       live:
         spec:
           one: [{ host: a, weight: 70 }, { host: b, weight: 30 }]
           two: [{ to: { host: a, set: v1 }, weight: 70 }, { to: { host: a, set: v2 }, weight: 30 }]
       owners: { flagger: { f:spec: { f:one: {}, f:two: {} } } }`,
      {
        one: [
          { host: 'a', weight: 100 },
          { host: 'c', weight: 0 },
        ],
        two: [
          { to: { host: 'a' }, weight: 100 },
          { to: { host: 'a', set: 'v2' }, weight: 0 },
        ],
      },
      [],
    ],
    'the live part of an inner list when Git changes the item around it': [
      `
       rules: [{ fields: [/spec/http/*/route/*/weight], drift: ignore }]
       git: { spec: { http: [{ timeout: 5s, route: [{ host: a, weight: 100 }, { host: b, weight: 0 }] }] } }
       live: { spec: { http: [{ timeout: 1s, route: [{ host: a, weight: 70 }, { host: b, weight: 30 }] }] } }
       owners: { flagger: { f:spec: { f:http: {} } } }`,
      {
        http: [
          {
            timeout: '5s',
            route: [
              { host: 'a', weight: 70 },
              { host: 'b', weight: 30 },
            ],
          },
        ],
      },
      [],
    ],
    'all of such a list when its length is another one': [
      `
       rules: [{ fields: [/spec/list/*/weight], drift: ignore }]
       git: { spec: { list: [{ host: a, weight: 100 }] } }
       live: { spec: { list: [{ host: x, weight: 70 }, { host: y, weight: 30 }] } }
       owners: { flagger: { f:spec: { f:list: {} } } }`,
      { list: [{ host: 'a', weight: 100 }] },
      [],
    ],
    'nothing of another: a rule on conflicts yields only what differs': [
      `
       rules: [{ fields: [/spec], conflicts: yield }]
       git: { spec: { a: 1, b: 2 } }
       live: { spec: { a: 1, b: 9 } }
       owners: { other: { f:spec: { f:a: {}, f:b: {} } } }`,
      { a: 1 },
      ['spec.b other'],
    ],
  } as const;
  for (const [name, [yaml, spec, yielded]] of Object.entries(cases)) {
    test(name, () => {
      const result = adjusted(yaml);
      assert.deepEqual([result.spec, result.yielded], [spec, yielded]);
    });
  }

  test('all of it when no rule is for single fields: a mode of the whole object holds back no commit', () => {
    const { spec } = adjusted(`
      rules: [{ drift: ignore }]
      git: { spec: { a: 1 } }
      live: { spec: { a: 5 } }
      owners: { other: { f:spec: { f:a: {} } } }
    `);
    assert.deepEqual(spec, { a: 1 });
  });

  test('its name and namespace, whatever the rules', () => {
    const { object } = adjusted(`
      rules: [{ fields: [''], drift: ignore }]
      git: { spec: { a: 1 } }
      live: { spec: { a: 5 } }
      owners: { other: { f:spec: { f:a: {} }, f:metadata: { f:name: {} } } }
    `);
    assert.deepEqual(object, { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', namespace: 'web' } });
  });
});

describe('an item of a list by keys that is gone, when something else of the object is healed', () => {
  const gone = (rule: string) => `
    rules: [${rule}]
    git: { spec: { ports: [{ port: 80 }, { port: 90, protocol: TCP }, { port: 91 }], b: 2 } }
    live: { spec: { ports: [{ port: 80, protocol: TCP }], b: 3 } }
    owners: { trueup: { f:spec: { f:b: {}, f:ports: { 'k:{"port":80,"protocol":"TCP"}': { .: {}, f:port: {} } } } } }`;
  const [first, second, third] = [{ port: 80 }, { port: 90, protocol: 'TCP' }, { port: 91 }];
  const cases = {
    'stays gone where the list is observed': ['{ fields: [/spec/ports], drift: observe }', [first]],
    'stays gone where it is named by its keys': [
      `{ fields: ['/spec/ports/[port=90,protocol="TCP"]'], drift: observe }`,
      [first, third],
    ],
    'by those that the server adds, too': [
      `{ fields: ['/spec/ports/[port=91,protocol="TCP"]'], drift: ignore }`,
      [first, second],
    ],
    'comes back whole where only a field of it is observed': [
      `{ fields: ['/spec/ports/*/protocol'], drift: observe }`,
      [first, second, third],
    ],
  } as const;
  for (const [name, [rule, ports]] of Object.entries(cases)) {
    test(name, () => {
      assert.deepEqual(adjusted(gone(rule), true).spec, { ports, b: 2 });
      const { spec } = adjusted(gone(rule.replace('ignore', 'observe')));
      assert.deepEqual(spec, { ports: [first, second, third], b: 2 }, 'a commit brings it back');
    });
  }
});
