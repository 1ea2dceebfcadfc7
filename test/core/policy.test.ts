import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { Stop } from '../../core/errors.ts';
import { valueAt } from '../../core/field-set.ts';
import { defaultSettings } from '../../core/model/desired.ts';
import { kubeObjectSchema, refKey, refOf } from '../../core/model/object.ts';
import { driftModeSchema, ruleSchema } from '../../core/model/rule.ts';
import { fits, literal, orderEdge, pointerOf, Policy } from '../../core/policy.ts';

const object = kubeObjectSchema.parse(
  load(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: web, labels: {example.com/tier: front}}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - {name: app, image: 'a:1', args: [--a, --b]}
        - {name: log, image: 'l:1', ports: [{containerPort: 80, protocol: TCP}]}
`),
);

const edges: Readonly<Record<string, readonly string[]>> = {
  replicas: ['f:spec', 'f:replicas'],
  image: ['f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"app"}', 'f:image'],
  args: ['f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"app"}', 'f:args'],
  log: ['f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"log"}', 'f:image'],
  port: [
    'f:spec',
    'f:template',
    'f:spec',
    'f:containers',
    'k:{"name":"log"}',
    'f:ports',
    'k:{"containerPort":80,"protocol":"TCP"}',
    'f:protocol',
  ],
  label: ['f:metadata', 'f:labels', 'f:example.com/tier'],
  star: ['f:metadata', 'f:annotations', 'f:*'],
  escapedStar: ['f:metadata', 'f:annotations', String.raw`f:\*`],
  other: ['f:metadata', 'f:annotations', 'f:evil.example'],
  finalizer: ['f:metadata', 'f:finalizers', 'v:"example.com/hold"'],
  order: ['f:spec', 'f:template', 'f:spec', 'f:containers', orderEdge],
};

const caseSchema = z.strictObject({
  case: z.string(),
  mode: driftModeSchema.default('heal'),
  rules: z.array(ruleSchema).default([]),
  later: z.array(ruleSchema).default([]),
  annotations: z.record(z.string(), z.string()).default({}),
  managers: z.array(z.string()).default([]),
  live: z.json().optional(),
  /** Field to mode; `object` is the object as a whole. */
  drift: z.record(z.string(), z.string()),
});

const cases = z.array(caseSchema).parse(
  load(String.raw`
- {case: nothing said, drift: {object: heal, replicas: heal}}
- {case: the application says it for all, mode: observe, drift: {object: observe, image: observe}}

- case: the last rule that fits wins, whether it is wide or names the object
  rules: [{match: {kind: Deployment, name: front}, drift: ignore}, {drift: observe}]
  drift: {object: observe}

- case: a rule that fits another kind, group, namespace or name says nothing
  rules:
    - {match: {kind: Service}, drift: ignore}
    - {match: {group: batch}, drift: ignore}
    - {match: {group: ''}, drift: ignore}
    - {match: {namespace: shop}, drift: ignore}
    - {match: {name: fron}, drift: ignore}
  drift: {object: heal}

- case: with * for any run of characters, and nothing else that a pattern may hold
  rules: [{match: {group: 'a*s', kind: 'Dep*', namespace: '*', name: 'f*t'}, drift: observe}, {match: {name: 'f.ont'}, drift: ignore}]
  drift: {object: observe}

- case: an annotation goes before every rule of Git
  rules: [{drift: ignore}]
  annotations: {trueup.dev/drift: heal}
  drift: {object: heal}

- case: what a person accepted goes before the annotation
  annotations: {trueup.dev/drift: heal}
  later: [{match: {name: front}, drift: ignore}]
  drift: {object: ignore}

- case: a field by its pointer, with all beneath it and nothing beside it
  rules: [{fields: [/spec/template], drift: observe}]
  drift: {object: heal, image: observe, args: observe, replicas: heal}

- case: a pointer is whole segments
  rules: [{fields: [/spec/rep], drift: observe}]
  drift: {replicas: heal}

- case: list items by key
  rules: [{fields: ['/spec/template/spec/containers/[name="app"]/image'], drift: observe}]
  drift: {image: observe, log: heal, args: heal}

- case: list items by place
  rules: [{fields: [/spec/template/spec/containers/1/image], drift: observe}]
  drift: {image: heal, log: observe}

- case: list items of several keys
  rules: [{fields: ['/spec/template/spec/containers/[name="log"]/ports/[containerPort=80,protocol="TCP"]'], drift: observe}]
  drift: {port: observe, log: heal}

- case: any item
  rules: [{fields: [/spec/template/spec/containers/*/image], drift: observe}]
  drift: {image: observe, log: observe, args: heal}

- case: a member that is called *, and no other
  rules: [{fields: ['/metadata/annotations/\*'], drift: ignore}]
  drift: {star: ignore, escapedStar: heal, other: heal}

- case: any member
  rules: [{fields: ['/metadata/annotations/*'], drift: ignore}]
  drift: {star: ignore, escapedStar: ignore, other: ignore, label: heal}

- case: a name that holds a slash
  rules: [{fields: [/metadata/labels/example.com~1tier], drift: observe}]
  drift: {label: observe, replicas: heal}

- case: an item of a set by its value
  rules: [{fields: ['/metadata/finalizers/[="example.com~1hold"]'], drift: observe}]
  drift: {finalizer: observe}

- case: the order of a list, and not its items
  rules: [{fields: ['/spec/template/spec/containers/[order]'], drift: observe}]
  drift: {order: observe, image: heal}

- case: the list, and so its order as well
  rules: [{fields: [/spec/template/spec/containers], drift: observe}]
  drift: {order: observe, image: observe}

- case: the empty pointer is every field, and not the object
  rules: [{fields: [''], drift: observe}]
  drift: {object: heal, replicas: observe, label: observe}

- case: by a manager that owns the live value
  rules: [{managers: [kube-controller-manager], drift: ignore}]
  managers: [kube-controller-manager, kubectl]
  drift: {object: heal, replicas: ignore}

- case: by another manager
  rules: [{managers: [kube-controller-manager], drift: ignore}]
  managers: [kubectl]
  drift: {replicas: heal}

- case: by CEL over the field
  rules: [{when: 'field.path == "/spec/replicas" && field.live > field.desired', drift: ignore}]
  live: 5
  drift: {replicas: ignore}

- case: by CEL that is not true
  rules: [{when: 'field.path == "/spec/replicas" && field.live > field.desired', drift: ignore}]
  live: 1
  drift: {replicas: heal}

- case: by CEL over the live object and the managers
  rules: [{when: 'object.metadata.namespace == "web" && "hpa" in field.managers', drift: ignore}]
  managers: [hpa]
  drift: {replicas: ignore}

- case: CEL that reads what is not there does not fit
  rules: [{when: 'object.spec.nothing == 1', drift: ignore}]
  drift: {replicas: heal}

- case: CEL that gives no bool does not fit
  rules: [{when: 'field.path', drift: ignore}]
  drift: {replicas: heal}

- case: all that a rule names must fit
  rules: [{fields: [/spec/replicas], managers: [hpa], drift: ignore}]
  managers: [kubectl]
  drift: {replicas: heal}

- case: a rule for a field goes before one for the object, whatever comes last
  rules: [{fields: [/spec/replicas], drift: heal}, {match: {kind: Deployment}, drift: observe}]
  drift: {object: observe, replicas: heal, image: observe}

- case: of rules for a field the last wins
  rules: [{fields: [/spec], drift: ignore}, {fields: [/spec/replicas], drift: observe}]
  drift: {replicas: observe, image: ignore}

- case: a rule that says nothing of drift leaves it
  rules: [{fields: [/spec/replicas], drift: observe}, {fields: [/spec/replicas], conflicts: yield}]
  drift: {replicas: observe}
`),
);

type Case = z.infer<typeof caseSchema>;

function policyOf({ mode, rules, later }: Pick<Case, 'mode' | 'rules' | 'later'>): Policy {
  return new Policy(
    { drift: mode, rules },
    later.map((rule) => ({ rule })),
  );
}

function factsOf(name: string, { managers, live }: Pick<Case, 'managers' | 'live'>) {
  const path = edges[name] ?? [];
  return { path, desired: valueAt(object, path), live: live ?? valueAt(object, path), managers };
}

describe('the mode of drift', () => {
  for (const { case: name, drift, annotations, ...given } of cases) {
    it(name, () => {
      const policy = policyOf(given);
      const annotated = { ...object, metadata: { ...object.metadata, annotations } };
      const found = Object.keys(drift).map((field) => [
        field,
        field === 'object'
          ? policy.forObject(annotated).drift
          : policy.forField(annotated, object, factsOf(field, given)).drift,
      ]);
      assert.deepEqual(Object.fromEntries(found), drift);
    });
  }

  it('is a Stop where an annotation says something else', () => {
    const annotated = {
      ...object,
      metadata: { ...object.metadata, annotations: { 'trueup.dev/drift': 'off' } },
    };
    assert.throws(() => new Policy(defaultSettings).forObject(annotated), Stop);
  });
});

describe('the mode of a field that others added', () => {
  const replicas = factsOf('replicas', { managers: ['injector'] });
  const table = [
    { name: 'no rule names it', rules: [], mode: undefined },
    { name: 'a rule for all objects that heals', rules: [{ drift: 'heal' }], mode: undefined },
    { name: 'a rule for the object that ignores', rules: [{ drift: 'ignore' }], mode: 'ignore' },
    {
      name: 'a rule that names the manager',
      rules: [{ managers: ['injector'], drift: 'heal' }],
      mode: 'heal',
    },
    {
      name: 'a rule that names the field',
      rules: [{ fields: ['/spec/replicas'], drift: 'heal' }],
      mode: 'heal',
    },
    { name: 'a condition alone never takes away', rules: [{ when: 'true', drift: 'heal' }], mode: undefined },
    { name: 'a condition alone may ignore', rules: [{ when: 'true', drift: 'ignore' }], mode: 'ignore' },
    {
      name: 'the last of them',
      rules: [
        { managers: ['injector'], drift: 'heal' },
        { fields: ['/spec'], drift: 'observe' },
      ],
      mode: 'observe',
    },
  ];
  for (const { name, rules, mode } of table) {
    it(name, () => {
      const policy = policyOf({ mode: 'heal', rules: z.array(ruleSchema).parse(rules), later: [] });
      assert.equal(policy.forForeign(object, object, replicas), mode);
    });
  }
});

describe('a broken heal loop', () => {
  const ignored = ruleSchema.parse({ fields: ['/spec/replicas'], drift: 'ignore' });
  const image = '/spec/template/spec/containers/[name="app"]/image';
  const broken = (...pointers: string[]) => new Map([[refKey(refOf(object)), new Set(pointers)]]);
  const modesOf = (policy: Policy) => [
    policy.forMissing(object),
    ...['replicas', 'image', 'args', 'log'].map(
      (name) => policy.forField(object, object, factsOf(name, { managers: [] })).drift,
    ),
  ];
  const table = [
    { name: 'makes its path observed', pointers: [image], modes: 'heal heal observe heal heal' },
    {
      name: 'with all that is beneath it',
      pointers: ['/spec/template/spec/containers/[name="app"]'],
      modes: 'heal heal observe observe heal',
    },
    {
      name: 'of a missing object says nothing of its fields',
      pointers: [''],
      modes: 'observe heal heal heal heal',
    },
    {
      name: 'never undoes what Git ignores',
      pointers: ['', '/spec/replicas'],
      git: [ignored],
      modes: 'observe ignore heal heal heal',
    },
    {
      name: 'never undoes what a person accepted',
      pointers: ['/spec/replicas'],
      later: [ignored],
      modes: 'heal ignore heal heal heal',
    },
  ];
  for (const { name, pointers, git = [], later = [], modes } of table) {
    it(name, () => {
      const accepted = later.map((rule) => ({ rule }));
      const policy = new Policy({ drift: 'heal', rules: git }, accepted, broken(...pointers));
      assert.equal(modesOf(policy).join(' '), modes);
      const facts = factsOf('replicas', { managers: [] });
      assert.equal(policy.ignoresField(object, object, facts), git.length + later.length > 0);
      assert.equal(policy.forObject(object).drift, 'heal');
    });
  }

  it('of another object is no matter', () => {
    const policy = new Policy(
      { drift: 'heal', rules: [] },
      [],
      new Map([['apps/Deployment/web/back', new Set([''])]]),
    );
    assert.equal(modesOf(policy).join(' '), 'heal heal heal heal heal');
    assert.equal(policy.hasFieldRules(object), false);
  });

  it('of a field that others added leaves it', () => {
    const rules = z.array(ruleSchema).parse([{ managers: ['injector'], drift: 'heal' }]);
    const policy = new Policy({ drift: 'heal', rules }, [], broken('/spec/replicas'));
    const facts = factsOf('replicas', { managers: ['injector'] });
    assert.equal(policy.forForeign(object, object, facts), 'observe');
  });
});

describe('a name as a pattern', () => {
  const role = (name: string) =>
    kubeObjectSchema.parse({ apiVersion: 'v1', kind: 'Role', metadata: { name } });
  for (const [name, other] of [
    ['team-*', 'team-admin'],
    [String.raw`team-\*`, 'team-*'],
    [String.raw`team\dev`, 'teamdev'],
  ] as const) {
    it(`${name} fits itself alone`, () => {
      assert.equal(fits({ name: literal(name) }, role(name)), true);
      assert.equal(fits({ name: literal(name) }, role(other)), false);
    });
  }
});

describe('what else rules decide', () => {
  const policy = new Policy({
    drift: 'ignore',
    rules: z.array(ruleSchema).parse([
      { match: { kind: 'Deployment' }, conflicts: 'fail', immutable: 'recreate' },
      { fields: ['/spec/replicas'], conflicts: 'yield' },
      { match: { kind: 'Service' }, fields: ['/spec/ports'], drift: 'observe' },
    ]),
  });

  it('conflicts, of the object and of a field', () => {
    assert.equal(policy.forObject(object).conflicts, 'fail');
    assert.equal(policy.forField(object, object, factsOf('replicas', { managers: [] })).conflicts, 'yield');
    const annotations = { 'trueup.dev/conflicts': 'override', 'trueup.dev/immutable': 'fail' };
    const annotated = { ...object, metadata: { ...object.metadata, annotations } };
    const { conflicts, immutable } = policy.forObject(annotated);
    assert.deepEqual([conflicts, immutable], ['override', 'fail']);
    assert.equal(policy.forObject(object).immutable, 'recreate');
    assert.equal(new Policy(defaultSettings).forObject(object).conflicts, 'override');
  });

  it('whether an object is watched at all', () => {
    assert.equal(policy.isWatched(object), false);
    assert.equal(policy.isWatched({ ...object, apiVersion: 'v1', kind: 'Service' }), true);
    assert.equal(new Policy(defaultSettings).isWatched(object), true);
  });

  it('and each path has one pointer, which names it and nothing else', () => {
    for (const [name, path] of Object.entries(edges)) {
      const rules = z.array(ruleSchema).parse([{ fields: [pointerOf(path)], drift: 'ignore' }]);
      const narrow = new Policy({ drift: 'heal', rules });
      const ignored = Object.keys(edges).filter(
        (each) => narrow.forField(object, object, factsOf(each, { managers: [] })).drift === 'ignore',
      );
      assert.deepEqual(ignored, [name]);
    }
  });
});
