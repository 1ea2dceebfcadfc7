import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

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
const lint = () => run('oxlint', ['--type-aware', '.']);
const coreTypes = () => run('tsc', ['-p', 'core']);

async function plant(
  files: Readonly<Record<string, string>>,
  check: () => Promise<Verdict>,
): Promise<Verdict> {
  const paths = Object.keys(files).map((path) => join(sandbox, path));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(sandbox, path)), { recursive: true });
      await writeFile(join(sandbox, path), text);
    }
    return await check();
  } finally {
    for (const path of paths) await rm(path, { force: true });
  }
}

const cases: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
  readonly check?: () => Promise<Verdict>;
}[] = [
  {
    name: 'an import cycle of types only',
    files: {
      'core/model/planted-a.ts': "import type { B } from './planted-b.ts';\nexport type A = { b: B };\n",
      'core/model/planted-b.ts':
        "import type { A } from './planted-a.ts';\nexport type B = { a: A | null };\n",
    },
    says: /no-cycle/,
  },
  {
    name: 'a stage that imports another stage',
    files: {
      'core/notify.ts': "import { digest } from './render.ts';\nexport const notice = digest;\n",
      'core/render.ts': "export const digest = 'x';\n",
    },
    says: /a stage imports no other stage/,
  },
  {
    name: 'core that imports an adapter',
    files: {
      'core/notify.ts': "import { send } from '../adapters/planted.ts';\nexport const notice = send;\n",
      'adapters/planted.ts': 'export const send = 1;\n',
    },
    says: /core imports nothing outside core/,
  },
  {
    name: 'an adapter that imports a stage',
    files: {
      'adapters/planted.ts': "import { digest } from '../core/render.ts';\nexport const send = digest;\n",
      'core/render.ts': "export const digest = 'x';\n",
    },
    says: /a decision belongs in core/,
  },
  {
    name: 'infra that imports a function',
    files: {
      'infra/planted.ts':
        "import { handler } from '../functions/planted.ts';\nexport const name = handler;\n",
      'functions/planted.ts': 'export const handler = 1;\n',
    },
    says: /infra imports core\/contract/,
  },
  {
    name: 'a floating promise',
    files: { 'functions/planted.ts': 'export function handler(): void {\n  Promise.resolve(1);\n}\n' },
    says: /no-floating-promises/,
  },
  {
    name: 'an explicit any',
    files: { 'functions/planted.ts': 'export const handler = (event: any): unknown => event;\n' },
    says: /no-explicit-any/,
  },
  {
    name: 'a switch that forgets an outcome',
    files: {
      'functions/planted.ts':
        "export function handler(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    },
    says: /switch-exhaustiveness-check/,
  },
  {
    name: 'the clock read in core',
    files: { 'core/notify.ts': 'export const now = (): number => Date.now();\n' },
    says: /Unexpected use of 'Date'|no-restricted-globals/,
  },
  {
    name: 'randomness in core',
    files: { 'core/notify.ts': 'export const roll = (): number => Math.random();\n' },
    says: /no-restricted-properties/,
  },
  {
    name: 'the process in core, as a compile error',
    files: { 'core/notify.ts': 'export const region = process.env.AWS_REGION;\n' },
    says: /Cannot find name 'process'/,
    check: coreTypes,
  },
];

test('the tree as it stands passes', async () => {
  const verdict = await lint();
  assert.equal(verdict.failed, false, verdict.output);
});

for (const { name, files, says, check = lint } of cases) {
  test(`refused: ${name}`, async () => {
    const verdict = await plant(files, check);
    assert.equal(verdict.failed, true, 'the guard let it pass');
    assert.match(verdict.output, says);
  });
}
