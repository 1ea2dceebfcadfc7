import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unitTests } from './files.ts';
import { together } from './together.ts';

/** `npm run check`: what a developer runs before each commit. Stops at the first step that fails. */

const folder = mkdtempSync(join(tmpdir(), 'trueup-check-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const steps: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format', 'prettier', '--check', '--cache', '.'],
  ['lint and import rules', 'oxlint', '--type-aware', '--deny-warnings', '.'],
  ['types', 'tsc', '-p', '.'],
  ['types of core, which has no Node and no DOM', 'tsc', '-p', 'core'],
  ['types of the dashboard', 'tsc', '-p', 'web'],
  ['dead code', 'knip'],
  [
    'unit tests',
    'node',
    '--test',
    '--test-concurrency=2',
    '--test-reporter=dot',
    ...together(unitTests(), folder, 4),
  ],
];

for (const [name, command = '', ...args] of steps) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status !== 0) process.exit(1);
}
