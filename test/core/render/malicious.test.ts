import assert from 'node:assert/strict';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Stop } from '../../../core/errors.ts';
import { sourceSchema } from '../../../core/model/source.ts';
import type { MaliciousCase } from './malicious-case.ts';
import { maliciousCases } from './malicious-cases.ts';
import { Rendering, type TreeFiles } from './rendering.ts';

const rendering = await Rendering.start();
// Where builds have their scratch folders.
const scratch = join(rendering.root, 'scratch');
await mkdir(scratch);
process.env['TMPDIR'] = scratch;
after(() => rendering[Symbol.asyncDispose]());

/** What was said, on one line, as the documentation shows it. */
async function refusal({ tried, files, source }: MaliciousCase): Promise<string> {
  const ported = Object.entries(files).map(([path, text]): [string, TreeFiles[string]] => [
    path,
    typeof text === 'string' ? text.replaceAll('PORT', String(rendering.port)) : text,
  ]);
  const rendered = await rendering
    .render(Object.fromEntries(ported), source === undefined ? {} : { source })
    .catch((error: unknown) => error);
  assert.ok(rendered instanceof Stop, `${tried}: ${JSON.stringify(rendered)?.slice(0, 500)}`);
  assert.ok(!rendered.message.includes(rendering.root), rendered.message);
  assert.ok(!rendered.message.includes('token'), rendered.message);
  return rendered.message
    .replaceAll(String(rendering.port), 'PORT')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('|', '\\|');
}

const page = await readFile(join(import.meta.dirname, '../../../docs/reference/rendering.md'), 'utf8');
for (const [group, cases] of Object.entries(maliciousCases)) {
  test(`each is refused, with the message that the documentation shows: ${group}`, async () => {
    const rows: string[] = [];
    for (const one of cases) rows.push(`| ${one.tried} | \`${await refusal(one)}\` |`);
    const missing = rows.filter((row) => !page.includes(`\n${row}\n`));
    assert.deepEqual(missing, [], 'put these rows into docs/reference/rendering.md');
    // Nobody was asked, and nothing was run.
    assert.deepEqual(rendering.requests, []);
    assert.deepEqual(await readdir(scratch), []);
    const left = await readdir(rendering.root, { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith('RAN')),
      [],
    );
  });
}

test('patterns that climb are refused by the schema', () => {
  for (const include of ['../*.yaml', '/etc/*', 'a/../../*']) {
    assert.equal(sourceSchema.safeParse({ path: 'apps', include: [include] }).success, false, include);
  }
});
