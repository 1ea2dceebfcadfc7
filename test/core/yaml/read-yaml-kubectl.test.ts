import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';
import { DiskWorktree } from '../../../adapters/worktree.ts';
import { isJsonObject, type Json } from '../../../core/model/json.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { findTools } from '../../cluster/tools.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';
import { alike, looser, refusedByBoth, stricter } from './kubectl-cases.ts';

const run = promisify(execFile);
const { kubectl } = await findTools({ progress: () => undefined });

/** What kubectl makes of files, without a cluster. */
async function kubectlReads(...files: string[]): Promise<Json[]> {
  const args = [
    'label',
    '--local',
    '--dry-run=client',
    '-o',
    'json',
    ...files.flatMap((file) => ['-f', file]),
  ];
  const { stdout } = await run(kubectl, [...args, 'read=back'], { maxBuffer: 256 * 1024 * 1024 });
  // Several objects come as several JSON texts, one behind the other.
  const texts = stdout.trim().split(/(?<=^\})\n(?=\{$)/m);
  return texts.map((text): Json => JSON.parse(text));
}

const scalars = `
booleans: [yes, no, on, off, y, n, Y, N, Yes, YES, oN, On, TRUE, True, tRUE, "yes", 'on', ON, Off]
integers: [0777, 0o777, 0x1F, 0b101, -0x1F, +5, 08, 09, 1_000, 0_7, 0O17, 0B1, 0X1f, -0b11, 0, -0, 007, 1__0]
looks like integers: [0x, 0b12, 0o8, "08", 1-2, 1/2, 12e, +, 0xg, 1_, _1, 1 2]
floats: [1e3, 1., .5, -.5, 1.e3, 1.5e-3, +1.5, 1e20, 123456789.125, 1E3, 0.1, -0.0, 1_0.5]
looks like floats: [1e400, ., .e1, "1.5", 1.5.2, ._5, .5_0, e3, 1e, v1.2]
times: [1:30, 12:30:45, 2001-01-01, 2001-01-01T00:00:00Z, 2001-1-1 1:2:3]
nothing: [~, null, Null, NULL, "", "null", nULL, ]
exact: [9007199254740991, -9007199254740991]
tagged: [!!str 123, !!int "5", !!float 3, !!bool "yes", !!str yes, !!null ""]
strings: [a b, "a\\tb", 'it''s', "\\u00e9", é, "\\x41", a#b, "a: b", https://x.example:8080/y, '@x', "%d"]
keys: {1: a, yes: b, 0x10: c, 'q': d, -5: e, 1_0: f, off: g, 1.2.3: h, "": i, '<<': j}
base: &base {p: 1, q: {r: 2}}
merged: {<<: *base, p: 3}
merged late: {z: 3, <<: *base, p: 4}
merged twice: {<<: *base, <<: {p: 5, o: 6}}
merged inline: {<<: {m: 1}, n: <<}
merged list: {<<: [*base, {p: 9, s: 1}], t: 2}
alias: *base
flow: {a: [1, {b: [2, 3,]}], c: d, e, "f":g}
literal: |
  one
   two

  three
literal stripped: |-
  one
literal kept: |+
  one

folded: >
  one
  two

  three
folded indented: >2-
    one
  two
plain lines: one
  two

  three
quoted lines: "one
  two \\
  three"
empty:
comment: a # b
list:
- a
-
  - b
- c: 1
  d: 2
- - e
`;

test('values are read as kubectl reads them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  try {
    const indented = scalars.replaceAll(/^(?=.)/gm, '  ');
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {read: back}}\nspec:\n${indented}`;
    await writeFile(join(folder, 'x.yaml'), text);
    const [theirs] = await kubectlReads(join(folder, 'x.yaml'));
    const [ours] = readYaml('x.yaml', text).map(({ value }) => value);
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), theirs);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('files are read as kubectl reads them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  try {
    const cases = Object.entries(alike);
    const files = cases.map((_, index) => join(folder, `${index}.yaml`));
    for (const [index, [, text]] of cases.entries()) await writeFile(files[index] ?? '', text);
    const theirs = await kubectlReads(...files);
    for (const [why, text] of cases) {
      const ours = readYaml('x', text).map(({ value }) => value);
      // The sign of zero is lost on the way to JSON, here and there.
      assert.deepEqual(JSON.parse(JSON.stringify(ours)), theirs.splice(0, ours.length), why);
    }
    assert.deepEqual(theirs, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** One file, as kubectl reads it and as we read it from a commit. */
async function bothTry(content: string | Uint8Array) {
  const scratch = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  const options = { ids: new Map<string, string>(), fileBytes: 1_000_000, commit: commitOf('1'.repeat(40)) };
  const materialize = async () => undefined;
  await using worktree = new DiskWorktree({ ...options, directory: scratch, scratch, materialize });
  await writeFile(join(scratch, 'x.yaml'), content);
  const theirs = await kubectlReads(join(scratch, 'x.yaml')).then(
    () => 'read',
    () => 'refused',
  );
  const ours = await worktree
    .text('x.yaml')
    .then((text) => readYaml('x', text).length)
    .catch(String);
  return { theirs, ours };
}

for (const [why, text] of Object.entries(refusedByBoth)) {
  test(`kubectl refuses it, and so do we: ${why}`, async () => {
    const { ours, theirs } = await bothTry(text);
    assert.match(String(ours), /^Stop: x:\d+: /);
    assert.equal(theirs, 'refused');
  });
}

for (const [why, { text, says }] of Object.entries(stricter)) {
  test(`kubectl reads it, and we do not: ${why}`, async () => {
    const { ours, theirs } = await bothTry(text);
    assert.match(String(ours), says);
    assert.equal(theirs, 'read');
  });
}

for (const [why, text] of Object.entries(looser)) {
  test(`we read it, and kubectl does not: ${why}`, async () => {
    assert.deepEqual(await bothTry(text), { ours: 1, theirs: 'refused' });
  });
}

test('a line is found in a text behind another, and below brackets that were moved', () => {
  const two = '{"a": [\n1]}\n{"b":\n{"c": 1}}';
  const documents = readYaml('x', two);
  assert.deepEqual(
    documents.map((document) => document.place()),
    ['x:1', 'x:3'],
  );
  assert.equal(documents[1]?.place(['b', 'c']), 'x:4');
  assert.throws(() => readYaml('x', `${two}\n{"a": 1, "a": 2}`), /^Stop: x:5: .*duplicated/);
  const [moved] = readYaml('x', 'a: [\n1,\n]\nb: {\nc: 1,\n}\nd: 2\n');
  assert.deepEqual(
    [moved?.place(['a', 0]), moved?.place(['b', 'c']), moved?.place(['d'])],
    ['x:2', 'x:5', 'x:7'],
  );
});

const corpora = process.env['TRUEUP_CORPORA'];
const skip = corpora === undefined && 'TRUEUP_CORPORA is not set';
test('a real monitoring stack is read as kubectl reads it', { skip }, async () => {
  const root = join(corpora ?? '', 'kube-prometheus');
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  const files = names.map((name) => join(root, name));
  const values: Json[] = [];
  for (const file of files) {
    for (const { value } of readYaml(file, await readFile(file, 'utf8'))) {
      const items = isJsonObject(value) ? value['items'] : undefined;
      values.push(...(Array.isArray(items) ? items : [value]));
    }
  }
  assert.deepEqual(values.map(unlabelled), (await kubectlReads(...files)).map(unlabelled));
  assert.ok(values.length > 100, `${values.length} objects`);
});

const labelled = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }),
});

/** Without the label that kubectl was told to add. */
function unlabelled(value: Json) {
  const { metadata, ...rest } = labelled.parse(value);
  const { read: _, ...labels } = metadata.labels;
  return { ...rest, metadata: { ...metadata, labels } };
}
