import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';

const faults: { why: string; text: string; says: RegExp }[] = [
  {
    why: 'bad indentation',
    text: 'a: b\n  c: d\n',
    says: /^f\.yaml:2: cannot be read as YAML: bad indentation/,
  },
  { why: 'a tab', text: 'a:\n\tb: c', says: /^f\.yaml:2: / },
  { why: 'an open quote', text: 'a: 1\nb: "x\nc: 1', says: /^f\.yaml:[23]: / },
  { why: 'a duplicate key', text: 'a: 1\nb: 2\na: 3', says: /^f\.yaml:3: .*duplicated mapping key/ },
  { why: 'a duplicate key in the second document', text: 'a: 1\n---\nb: 1\nb: 2', says: /^f\.yaml:4: / },
  { why: 'a duplicate spelled in two ways', text: '1: a\n"1": b', says: /^f\.yaml:2: .*duplicated/ },
  {
    why: 'an integer beyond 2^53',
    text: 'a: 1\nb: 9007199254740993',
    says: /^f\.yaml:2: .*beyond 2\^53 cannot be kept exactly/,
  },
  {
    why: 'the greatest integer of Go',
    text: '- 9223372036854775807',
    says: /^f\.yaml:1: .*cannot be kept exactly/,
  },
  { why: 'not a number', text: 'a: .nan', says: /^f\.yaml:1: .*\.nan has no place in JSON/ },
  { why: 'infinity in a list', text: 'a:\n- 1\n- -.inf', says: /^f\.yaml:3: .*-\.inf has no place in JSON/ },
  { why: 'infinity alone', text: '.inf', says: /^f\.yaml:1: / },
  { why: 'a null key', text: 'a: {~: 1}', says: /^f\.yaml:1: .*a key is null/ },
  { why: 'a key that is a fraction', text: 'a:\n  1.5: x', says: /^f\.yaml:2: .*quote it/ },
  { why: 'a key that is a list', text: '? [a]\n: b', says: /^f\.yaml:1: / },
  {
    why: 'a key before a merge that has it too',
    text: 'a: &a {p: 1}\nb:\n  p: 2\n  <<: *a',
    says: /^f\.yaml:4: .*key p stands before a <</,
  },
  { why: 'a merge of what is no map', text: 'a: {<<: 1}', says: /^f\.yaml:1: .*<< must name a map/ },
  { why: 'an unknown anchor', text: 'a: 1\nb: *c', says: /^f\.yaml:2: .*unidentified alias/ },
  { why: 'a tag of some tool', text: 'a: !Ref x', says: /^f\.yaml:1: .*unknown scalar tag/ },
  { why: 'an anchor in itself', text: 'a: &x [*x]', says: /^f\.yaml:1: .*or itself/ },
  { why: 'aliases that explode', text: bomb(9), says: /^f\.yaml:1: .*more than 2000000 values/ },
];
for (const { why, text, says } of faults) {
  test(`${why} is refused with file and line`, () => {
    assert.throws(
      () => readYaml('f.yaml', text),
      (error: Error) => error instanceof Stop && (assert.match(error.message, says), true),
    );
  });
}

/** Each line ten times the one before. */
function bomb(lines: number): string {
  const line = (_: unknown, index: number) => {
    const before = index === 0 ? 'x' : `*a${index - 1}`;
    return `a${index}: &a${index} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  };
  return Array.from({ length: lines }, line).join('\n');
}

test('an error quotes no line of the file, which may hold a secret', () => {
  assert.throws(
    () => readYaml('f.yaml', 'stringData:\n  password: hunter2\n  token: "hunter3\n'),
    (error: Error) => !JSON.stringify([error.message, error.cause, error.stack]).includes('hunter'),
  );
});

const places: { path: (string | number)[]; line: number }[] = [
  { path: [], line: 2 },
  { path: ['spec'], line: 5 },
  { path: ['spec', 'list', 1, 'name'], line: 8 },
  { path: ['spec', 'list', 1, 'missing'], line: 8 },
  { path: ['spec', 'flow', 'b'], line: 10 },
  { path: ['spec', 'flow', 'b', 1], line: 10 },
  { path: ['spec', 'quoted key'], line: 11 },
  { path: ['elsewhere'], line: 2 },
];
const placed = `# head
apiVersion: v1
kind: X

spec:
  list:
  - name: a
  - name: b
  flow: {a: 1,
    b: [1, 2]}
  "quoted key": 1
`;
for (const { path, line } of places) {
  test(`the place of ${path.join('.') || 'a document'} is line ${line}`, () => {
    const [document] = readYaml('f.yaml', placed);
    assert.equal(document?.place(path), `f.yaml:${line}`);
  });
}
