import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import * as z from 'zod';
import { Stop } from '../../../core/errors.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { findTools } from '../../cluster/tools.ts';
import { alike } from './kubectl-cases.ts';

const run = promisify(execFile);
const { kubectl } = await findTools({ progress: () => undefined });
const runs = 300;

/** What means something to YAML, somewhere. */
const signs = [
  ' |  |\n|\n  |\t|\r\n|- |: |:|#| #|"|\'|[|]|{|}|,|>|&a |*a|!!str |?|? |...\n|0|1|.|e|_|~|null|yes',
  '%|@|\\|\\n|<<: |+|-|0x|:1|é|\u00a0|',
].flatMap((row) => row.split('|'));
const indicators = [...signs, '|', '|-'];

/** The data of a case and where it begins; those of one document, since kubectl adds a label to what is left. */
const bases = Object.values(alike).flatMap((text) => {
  const parts = text.split(/(?<=\ndata:\r?\n)/);
  const [head = '', data = ''] = parts;
  return parts.length === 2 && !data.includes('\n---') ? [{ head, data }] : [];
});

const edited = fc
  .tuple(
    fc.constantFrom(...bases),
    fc.array(fc.tuple(fc.nat(400), fc.nat(3), fc.constantFrom(...indicators)), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([{ head, data }, edits]) => {
    const text = edits.reduce((before, [where, cut, sign]) => {
      const at = where % (before.length + 1);
      return before.slice(0, at) + sign + before.slice(at + cut);
    }, data);
    return head + text;
  });

const objectSchema = z.looseObject({ data: z.unknown() });

/** Its data as JSON; undefined when it is refused. */
async function kubectlReads(file: string): Promise<unknown> {
  const args = ['label', '--local', '--dry-run=client', '-o', 'json', '-f', file, 'read=back'];
  const result = await run(kubectl, args).catch(() => undefined);
  return result === undefined ? undefined : objectSchema.parse(JSON.parse(result.stdout)).data;
}

function weRead(text: string): unknown {
  try {
    const [document] = readYaml('x', text);
    return JSON.parse(JSON.stringify(objectSchema.parse(document?.value).data));
  } catch (error) {
    // Never any other error.
    assert.ok(error instanceof Stop, String(error));
    return undefined;
  }
}

test('what both kubectl and we read of a broken file is the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  const count = { alike: 0, 'refused by both': 0, 'refused by us alone': 0, 'refused by kubectl alone': 0 };
  const file = join(folder, 'x.yaml');
  const property = fc.asyncProperty(edited, async (text) => {
    await writeFile(file, text);
    const [theirs, ours] = [await kubectlReads(file), weRead(text)];
    if (ours === undefined && theirs === undefined) count['refused by both'] += 1;
    else if (ours === undefined) count['refused by us alone'] += 1;
    else if (theirs === undefined) count['refused by kubectl alone'] += 1;
    else {
      assert.deepEqual(ours, theirs, text);
      count.alike += 1;
    }
  });
  try {
    await fc.assert(property, { numRuns: runs });
  } finally {
    await rm(folder, { recursive: true });
  }
  console.log(`of ${runs} broken files: ${JSON.stringify(count)}`);
});
