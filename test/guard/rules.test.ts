import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import * as z from 'zod';

/** Each planted fault must make `npm run check` fail: a guard that cannot fail guards nothing (issue 3). */

const root = resolve(import.meta.dirname, '../..');
let sandbox: string;

before(async () => {
  sandbox = await mkdtemp(join(tmpdir(), 'trueup-guard-'));
  for (const name of ['.gitignore', '.oxlintrc.json', 'tsconfig.json', 'package.json', 'core']) {
    await cp(join(root, name), join(sandbox, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(sandbox, 'node_modules'));
});
after(() => rm(sandbox, { recursive: true, force: true }));

interface Verdict {
  readonly failed: boolean;
  readonly output: string;
}

function run(tool: string, args: readonly string[]): Promise<Verdict> {
  return new Promise((done) => {
    execFile(join(root, 'node_modules/.bin', tool), args, { cwd: sandbox }, (error, stdout, stderr) => {
      done({ failed: error !== null, output: stdout + stderr });
    });
  });
}
const diagnosticsSchema = z.object({
  diagnostics: z.array(
    z.object({ filename: z.string(), message: z.string(), code: z.string(), help: z.string().optional() }),
  ),
});

/** A line for each fault, which begins with its file. */
async function lint(): Promise<Verdict> {
  const { failed, output } = await run('oxlint', ['--type-aware', '--format=json', '.']);
  const { diagnostics } = diagnosticsSchema.parse(JSON.parse(output));
  const lines = diagnostics.map(({ filename, message, code, help = '' }) =>
    [`${filename}:`, message, code, help].join(' '),
  );
  return { failed, output: lines.join('\n') };
}

/** All are planted at once and judged in one run, which takes seconds: each fault is in a file of its own. */
const cases: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}[] = [
  {
    name: 'an import cycle of types only',
    files: {
      'core/model/planted-a.ts': "import type { B } from './planted-b.ts';\nexport type A = { b: B };\n",
      'core/model/planted-b.ts':
        "import type { A } from './planted-a.ts';\nexport type B = { a: A | null };\n",
    },
    says: /^core\/model\/planted-a\.ts:.*no-cycle/m,
  },
  {
    name: 'a stage that imports another stage',
    files: {
      'core/health/planted.ts': "import { plan } from '../plan.ts';\nexport const notice = plan;\n",
    },
    says: /^core\/health\/planted\.ts:.*a stage imports no other stage/m,
  },
  {
    name: 'core that imports an adapter',
    files: {
      'core/planted.ts': "import { send } from '../adapters/planted.ts';\nexport const notice = send;\n",
    },
    says: /^core\/planted\.ts:.*core imports nothing outside core/m,
  },
  {
    name: 'an adapter that imports a stage',
    files: {
      'adapters/planted.ts': "import { plan } from '../core/plan.ts';\nexport const send = plan;\n",
    },
    says: /^adapters\/planted\.ts:.*a decision belongs in core/m,
  },
  {
    name: 'infra that imports a function',
    files: {
      'infra/planted.ts':
        "import { handler } from '../functions/planted.ts';\nexport const name = handler;\n",
    },
    says: /^infra\/planted\.ts:.*infra imports core\/contract/m,
  },
  {
    name: 'a floating promise',
    files: { 'functions/floating.ts': 'export function handler(): void {\n  Promise.resolve(1);\n}\n' },
    says: /^functions\/floating\.ts:.*no-floating-promises/m,
  },
  {
    name: 'an explicit any',
    files: { 'functions/planted.ts': 'export const handler = (event: any): unknown => event;\n' },
    says: /^functions\/planted\.ts:.*no-explicit-any/m,
  },
  {
    name: 'a switch that forgets an outcome',
    files: {
      'functions/forgetful.ts':
        "export function handler(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    },
    says: /^functions\/forgetful\.ts:.*switch-exhaustiveness-check/m,
  },
  {
    name: 'the clock read in core',
    files: { 'core/planted-clock.ts': 'export const now = (): number => Date.now();\n' },
    says: /^core\/planted-clock\.ts:.*(?:Unexpected use of 'Date'|no-restricted-globals)/m,
  },
  {
    name: 'randomness in core',
    files: { 'core/planted-dice.ts': 'export const roll = (): number => Math.random();\n' },
    says: /^core\/planted-dice\.ts:.*no-restricted-properties/m,
  },
  {
    name: 'the process in core, as a compile error',
    files: { 'core/planted-process.ts': 'export const region = process.env.AWS_REGION;\n' },
    says: /^core\/planted-process\.ts.*Cannot find name 'process'/m,
  },
];

test('the tree as it stands passes, and every planted fault is refused where it is', async (t) => {
  const verdict = await lint();
  assert.equal(verdict.failed, false, verdict.output);
  for (const [path, text] of cases.flatMap(({ files }) => Object.entries(files))) {
    await mkdir(dirname(join(sandbox, path)), { recursive: true });
    await writeFile(join(sandbox, path), text);
  }
  const [linted, compiled] = await Promise.all([lint(), run('tsc', ['-p', 'core', '--pretty', 'false'])]);
  assert.equal(linted.failed, true, 'lint let all of it pass');
  assert.equal(compiled.failed, true, 'the compiler let it pass');
  for (const { name, says } of cases) {
    await t.test(`refused: ${name}`, () => {
      assert.match(`${linted.output}\n${compiled.output}`, says);
    });
  }
});
