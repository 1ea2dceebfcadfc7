import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bareEnvironment } from './bare-environment.ts';

/** `trueup health` as a person runs it: files in a folder of theirs, no cluster and no AWS. */

const program = resolve(import.meta.dirname, '../../cli/trueup.ts');
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-health-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** INIT_CWD is what npm sets: the folder of the person, while the program runs in the checkout. */
async function health(args: readonly string[], stdin = ''): Promise<Ended> {
  return new Promise((done) => {
    const options = { cwd: tmpdir(), env: { ...bareEnvironment, INIT_CWD: folder } };
    const child = execFile(process.execPath, [program, 'health', ...args], options, (_, out, err) => {
      done({ code: child.exitCode ?? -1, out, err });
    });
    child.stdin?.end(stdin);
  });
}

const objects = `
apiVersion: v1
kind: List
items:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: { name: web, namespace: shop, generation: 2, labels: }
    status: { observedGeneration: 1 }
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleList
    items: [{ metadata: { name: reader } }]
---
# nothing here
---
apiVersion: example.org/v1
kind: Widget
metadata: { name: a }
status: { phase: Broken, conditions: [{ type: Ready, status: "False", reason: Why, message: "first line\\nsecond" }] }
---
{ apiVersion: example.org/v1, kind: Widget }
`;

describe('trueup health', () => {
  it('gives one answer per object, in the order given, lists flattened', async () => {
    await writeFile(join(folder, 'objects.yaml'), objects);
    const { code, out, err } = await health(['-f', 'objects.yaml', '-o', 'json']);
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual(JSON.parse(out), [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'shop',
        name: 'web',
        status: 'Progressing',
        reason: 'NotObserved',
        message: 'its controller has not seen generation 2 yet',
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        namespace: '',
        name: 'reader',
        status: 'Healthy',
        reason: '',
        message: '',
      },
      {
        apiVersion: 'example.org/v1',
        kind: 'Widget',
        namespace: '',
        name: 'a',
        status: 'Progressing',
        reason: 'Why',
        message: 'first line\nsecond',
      },
      {
        apiVersion: 'example.org/v1',
        kind: 'Widget',
        namespace: '',
        name: '',
        status: 'Healthy',
        reason: '',
        message: '',
      },
    ]);
  });

  it('reads stdin and JSON, and prints a table and YAML', async () => {
    const job = JSON.stringify({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'a', namespace: 'shop' },
      status: { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] },
    });
    const table = await health(['-f', '-'], job);
    assert.deepEqual([table.code, table.err], [0, '']);
    assert.match(
      table.out,
      /^OBJECT +HEALTH +REASON +MESSAGE\nJob shop\/a +Degraded +BackoffLimitExceeded\n$/,
    );
    const yaml = await health(['-f', '-', '-o', 'yaml'], job);
    assert.match(yaml.out, /^- apiVersion: batch\/v1\n {2}kind: Job\n/);
    const none = await health(['-f', '-', '-o', 'json'], '---\n');
    assert.deepEqual([none.code, none.out], [0, '[]\n']);
  });

  it('takes checks from a list, and from an Application', async () => {
    const check = '{ match: { kind: Widget }, degraded: object.status.phase == "Broken" }';
    await writeFile(join(folder, 'objects.yaml'), objects);
    await writeFile(join(folder, 'checks.yaml'), `- ${check}\n`);
    await writeFile(
      join(folder, 'web.yaml'),
      `
apiVersion: trueup.dev/v1
kind: Application
metadata: { name: web }
spec:
  source: { path: apps/web }
  clusters: { names: [east] }
  namespace: shop
  health: [${check}]
`,
    );
    for (const file of ['checks.yaml', 'web.yaml']) {
      const { code, out } = await health(['-f', 'objects.yaml', '--checks', file, '-o', 'json']);
      assert.equal(code, 0, file);
      const [, , widget, bare] = JSON.parse(out);
      assert.deepEqual([widget.status, widget.reason], ['Degraded', 'HealthCheck'], file);
      assert.deepEqual([bare.status, bare.reason], ['Progressing', 'NoStatus'], file);
    }
  });

  const faults: readonly (readonly [name: string, content: string, says: RegExp])[] = [
    [
      'an object without a kind among others',
      'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nmetadata: { name: b }\n',
      /^trueup: bad\.yaml:4: kind: is missing\n$/,
    ],
    [
      'an item of a list without a kind',
      'apiVersion: v1\nkind: List\nitems:\n  - { apiVersion: v1, kind: ConfigMap }\n  - { apiVersion: v1 }\n',
      /^trueup: bad\.yaml:5: kind: is missing\n$/,
    ],
    [
      'text that is no object',
      'hello\n',
      /^trueup: bad\.yaml:1: Invalid input: expected object, received string\n$/,
    ],
    ['no YAML', 'a: [1\nb: 2\n', /^trueup: bad\.yaml:2: cannot be read as YAML: /],
    [
      'a name that is a number',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 3\n',
      /^trueup: bad\.yaml:4: metadata\.name: Invalid input: expected string, received number\n$/,
    ],
  ];
  for (const [name, content, says] of faults) {
    it(`with ${name} names file and line, and answers nothing`, async () => {
      await writeFile(join(folder, 'bad.yaml'), content);
      const { code, out, err } = await health(['-f', 'bad.yaml', '-o', 'json']);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, says);
    });
  }

  it('says what is wrong with a file of checks', async () => {
    await writeFile(join(folder, 'objects.yaml'), objects);
    await writeFile(join(folder, 'checks.yaml'), '- match: { kind: Widget }\n  healthy: "object.status."\n');
    const syntax = await health(['-f', 'objects.yaml', '--checks', 'checks.yaml']);
    assert.deepEqual([syntax.code, syntax.out], [2, '']);
    assert.match(syntax.err, /^trueup: checks\.yaml:2: is no CEL expression: /);
    await writeFile(join(folder, 'checks.yaml'), '- match: { kind: Widget }\n');
    const empty = await health(['-f', 'objects.yaml', '--checks', 'checks.yaml']);
    assert.match(empty.err, /^trueup: checks\.yaml:1: 0: give at least one of degraded/);
    const gone = await health(['-f', 'gone.yaml']);
    assert.deepEqual([gone.code, gone.out], [2, '']);
    assert.match(gone.err, /^trueup: Cannot read gone\.yaml: ENOENT/);
  });
});
