import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStackConfig } from '../../core/contract/config.ts';
import { readSource } from '../../core/source.ts';
import { MemoryWorktree, type Files } from '../fakes/memory-worktree.ts';

const access = { type: 'eks', name: 'x' } as const;
const config = parseStackConfig({
  repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
  clusters: [
    { name: 'dev', access, labels: { tier: 'dev', region: 'north' } },
    { name: 'prod', access, labels: { tier: 'prod', region: 'north' } },
  ],
});

function application(name: string, spec = ''): string {
  const text = `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}}
  namespace: web
`;
  return spec.includes('clusters:') ? text + spec : `${text}  clusters: {names: [prod]}\n${spec}`;
}

async function read(files: Files) {
  const source = await readSource(new MemoryWorktree(files), 'applications', config);
  const applications = source.applications.map(
    (one) => `${one.application.metadata.name} of ${one.file} on ${one.clusters.join(', ') || 'nothing'}`,
  );
  return {
    applications,
    faults: source.faults.map(({ subject, message }) => `${subject}: ${message}`),
    source,
  };
}

const good: { why: string; files: Files; gives: string[] }[] = [
  {
    why: 'files of any depth and spelling, several in one',
    files: {
      'applications/b.yaml': `${application('b')}---\n${application('c')}`,
      'applications/team/a.yml': application('a'),
      'applications/d.json': JSON.stringify({
        apiVersion: 'trueup.dev/v1',
        kind: 'Application',
        metadata: { name: 'd' },
        spec: { source: { path: '.' }, namespace: 'd', clusters: { names: ['dev'] } },
      }),
    },
    gives: [
      'b of applications/b.yaml on prod',
      'c of applications/b.yaml on prod',
      'd of applications/d.json on dev',
      'a of applications/team/a.yml on prod',
    ],
  },
  {
    why: 'other files and hidden ones left alone',
    files: {
      'applications/README.md': '# Applications',
      'applications/.sops.yaml': 'creation_rules: []',
      'applications/.drafts/a.yaml': 'not: [finished',
      'elsewhere/a.yaml': application('a'),
    },
    gives: [],
  },
  {
    why: 'clusters by label, all of them to match',
    files: {
      'applications/a.yaml': application('a', '  clusters: {selector: {matchLabels: {region: north}}}\n'),
      'applications/b.yaml': application(
        'b',
        '  clusters: {selector: {matchLabels: {region: north, tier: dev}}}\n',
      ),
      'applications/c.yaml': application('c', '  clusters: {selector: {matchLabels: {}}}\n'),
    },
    gives: [
      'a of applications/a.yaml on dev, prod',
      'b of applications/b.yaml on dev',
      'c of applications/c.yaml on dev, prod',
    ],
  },
  {
    why: 'no cluster with such labels, and a name given twice',
    files: {
      'applications/a.yaml': application('a', '  clusters: {selector: {matchLabels: {tier: stage}}}\n'),
      'applications/b.yaml': application('b', '  clusters: {names: [prod, prod]}\n'),
    },
    gives: ['a of applications/a.yaml on nothing', 'b of applications/b.yaml on prod'],
  },
];
for (const { why, files, gives } of good) {
  test(`applications are read: ${why}`, async () => {
    const { applications, faults } = await read(files);
    assert.deepEqual({ applications, faults }, { applications: gives, faults: [] });
  });
}

test('a hidden folder is read when it is the configured one, and what is hidden below it is not', async () => {
  const files = { '.gitops/a.yaml': application('a'), '.gitops/.drafts/b.yaml': application('b') };
  for (const folder of ['.gitops', './.gitops']) {
    const source = await readSource(new MemoryWorktree(files), folder, config);
    assert.deepEqual(
      source.applications.map(({ file }) => file),
      ['.gitops/a.yaml'],
    );
    assert.deepEqual(source.faults, []);
  }
});

const faults: { why: string; file: string; says: RegExp[] }[] = [
  {
    why: 'no YAML',
    file: 'a: b: c',
    says: [/^applications\/x\.yaml:1: cannot be read as YAML: bad indentation/],
  },
  {
    why: 'a misspelt field and a wrong value, both told',
    file: application('x', '  sink: auto\n  drift: mend\n'),
    says: [
      /^applications\/x\.yaml:9: spec\.drift: .*"heal"\|"observe"/,
      /^applications\/x\.yaml:8: spec\.sink: there is no such field/,
    ],
  },
  {
    why: 'expressions that are no CEL, wherever they stand',
    file: application(
      'x',
      `  dependsOn: [{application: z, ready: 'dependency.health =='}]
  rules:
    - {when: 'true', drift: ignore}
    - when: 'object.spec['
      drift: ignore
  health:
    - match: {kind: Widget}
      healthy: 'object.status.ready &&'
`,
    ),
    says: [
      /^applications\/x\.yaml:8: spec\.dependsOn\.0\.ready: is no CEL expression: Unexpected token: EOF: dependency\.health ==$/,
      /^applications\/x\.yaml:11: spec\.rules\.1\.when: is no CEL expression/,
      /^applications\/x\.yaml:15: spec\.health\.0\.healthy: is no CEL expression/,
    ],
  },
  {
    why: 'another kind',
    file: 'kind: ConfigMap\napiVersion: v1',
    says: [/x\.yaml:1: is v1 ConfigMap; files in this folder hold Applications only/],
  },
  {
    why: 'no object',
    file: '- 1',
    says: [/x\.yaml:1: is no object; files in this folder hold Applications only/],
  },
  {
    why: 'a cluster that is not configured',
    file: application('x', '  clusters:\n    names:\n    - prod\n    - prdo\n'),
    says: [
      /x\.yaml:10: spec\.clusters\.names\.1: cluster "prdo" is not in the stack configuration; known clusters: dev, prod/,
    ],
  },
  {
    why: 'a path that climbs out',
    file: application('../x'),
    says: [
      /x\.yaml:3: metadata\.name: must be/,
      /x\.yaml:5: spec\.source\.path: must stay inside the repository/,
    ],
  },
  {
    why: 'an absolute path',
    file: application('x').replace('apps/x', '/etc'),
    says: [/x\.yaml:5: spec\.source\.path: must stay inside the repository/],
  },
  {
    why: 'names and a selector',
    file: application('x', '  clusters: {names: [dev], selector: {matchLabels: {}}}\n'),
    says: [/x\.yaml:7: spec\.clusters: give either names or selector/],
  },
  {
    why: 'an interval in words',
    file: application('x', '  interval: five minutes\n'),
    says: [/x\.yaml:8: spec\.interval: must be minutes or hours, such as 5m or 1h/],
  },
  {
    why: 'a missing field',
    file: application('x').replace('  namespace: web\n', ''),
    says: [/x\.yaml:4: spec\.namespace: is missing; expected string/],
  },
];
for (const { why, file, says } of faults) {
  test(`a bad Application is told with file, line and field: ${why}`, async () => {
    const result = await read({ 'applications/x.yaml': file, 'applications/ok.yaml': application('ok') });
    assert.deepEqual(result.applications, ['ok of applications/ok.yaml on prod'], 'the others go on');
    for (const expected of says) {
      assert.ok(
        result.faults.some((fault) => expected.test(fault)),
        `${expected} in\n${result.faults.join('\n')}`,
      );
    }
  });
}

test('two definitions of one name are both refused, each named with the other', async () => {
  const result = await read({
    'applications/a.yaml': `${application('other')}---\n${application('web')}`,
    'applications/b.yaml': application('web'),
  });
  assert.deepEqual(result.applications, ['other of applications/a.yaml on prod']);
  assert.deepEqual(result.faults, [
    'applications/a.yaml:9: application web is defined in applications/b.yaml:1 too; rename one',
    'applications/b.yaml:1: application web is defined in applications/a.yaml:9 too; rename one',
  ]);
  assert.deepEqual(new Set(result.source.faults.map((fault) => fault.application)), new Set(['web']));
});

test('a missing folder is a fault, so that nothing is taken for deleted', async () => {
  const {
    faults: [fault = ''],
  } = await read({ 'apps/web/a.yaml': 'a' });
  assert.match(fault, /^folder applications: there is no such folder .* nothing is taken for deleted/);
});
