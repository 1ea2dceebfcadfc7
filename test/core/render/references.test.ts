import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import { Rendering, type TreeFiles } from './rendering.ts';

/** Which references a render lets pass, and where it refuses them. */

let rendering: Rendering;
before(async () => {
  rendering = await Rendering.start();
});
after(async () => rendering[Symbol.asyncDispose]());

const render = async (files: TreeFiles, source: object = {}) =>
  rendering.render(files, { source: { path: 'app', ...source } });
const encoded = (text: string) => Buffer.from(text).toString('base64');

function secret(field: 'data' | 'stringData', value: string, more = ''): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n${more}${field}:\n  password: ${JSON.stringify(value)}\n`;
}

const passed: readonly { readonly what: string; readonly files: TreeFiles; readonly source?: object }[] = [
  {
    what: 'in stringData',
    files: { 'app/a.yaml': secret('stringData', 'ref+awssecrets://acme/db#/password') },
  },
  { what: 'in data', files: { 'app/a.yaml': secret('data', encoded('ref+awsssm://acme/db')) } },
  {
    what: 'of a variable',
    files: { 'app/a.yaml': secret('stringData', 'ref+awssecrets://${STAGE}/db') },
    source: { substitute: { variables: { STAGE: 'test' } } },
  },
  {
    what: 'of a generator',
    files: {
      'app/kustomization.yaml': 'secretGenerator: [{name: db, literals: ["a=ref+awsssm://acme/db"]}]\n',
    },
  },
  {
    what: 'of a chart',
    files: {
      'app/Chart.yaml': 'apiVersion: v2\nname: a\nversion: 1.0.0\n',
      'app/values.yaml': 'password: ref+awssecrets://acme/db\n',
      'app/templates/a.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {a: {{ .Values.password | b64enc }}}\n',
    },
  },
  {
    what: 'in a file for another tool, as text',
    files: { 'app/a.yaml': secret('stringData', 'a: 1\nb: ref+awssecrets://acme/db\n') },
  },
  {
    what: 'in a sentence elsewhere, as text',
    files: {
      'app/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "see ref+awssecrets://acme/db, or ref+vault://a"}\n',
    },
  },
];

describe('a reference passes', () => {
  for (const { what, files, source } of passed) {
    test(what, async () => {
      assert.equal((await render(files, source)).objects.length, 1);
    });
  }
});

const refused: readonly { readonly what: string; readonly file: string; readonly message: RegExp }[] = [
  {
    what: 'of another scheme',
    file: secret('stringData', 'ref+vault://hunter2'),
    message: /^Stop: app\/a\.yaml:\d+: Secret db: stringData\.password has the scheme ref\+vault/,
  },
  {
    what: 'of another scheme in base64',
    file: secret('data', encoded('ref+vault://hunter2')),
    message: /Secret db: data\.password has the scheme ref\+vault/,
  },
  {
    what: 'with a line end behind it',
    file: secret('data', encoded('ref+awssecrets://hunter2\n')),
    message: /data\.password must be a reference and nothing else/,
  },
  {
    what: 'among other text',
    file: secret('stringData', 'postgres://hunter2:ref+awssecrets://acme/db#/password@db'),
    message: /stringData\.password holds a reference among other text/,
  },
  {
    what: 'in an annotation of a Secret',
    file: secret('stringData', 'hunter2', '  annotations: {a: "ref+awssecrets://acme/db"}\n'),
    message: /Secret db: metadata\.annotations\.a is a reference, which is read in data and stringData/,
  },
  {
    what: 'in another kind',
    file: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: "ref+awsssm://acme/db"}\n',
    message: /ConfigMap a: data\.b is a reference/,
  },
  {
    what: 'deep in another kind',
    file: 'apiVersion: x.io/v1\nkind: Widget\nmetadata: {name: a}\nspec: {list: [{b: 1}, {c: "ref+awssecrets://acme/db#/a"}]}\n',
    message: /Widget\.x\.io a: spec\.list\.1\.c is a reference/,
  },
];

describe('a reference is refused with file and object, and without the value', () => {
  for (const { what, file, message } of refused) {
    test(what, async () => {
      await assert.rejects(render({ 'app/a.yaml': file }), (error: unknown) => {
        assert.ok(error instanceof Stop, String(error));
        assert.match(String(error), message);
        assert.doesNotMatch(String(error), /hunter2/);
        return true;
      });
    });
  }
});

test('every fault is told at once', async () => {
  const file = `${secret('stringData', 'ref+vault://a')}  other: "ref+file://b"\n`;
  await assert.rejects(render({ 'app/a.yaml': file }), (error: unknown) => {
    return error instanceof Stop && error.faults.length === 2;
  });
});
