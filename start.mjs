// Runs one of our programs on the Node that Lambda runs, installing the dependencies first where they are
// missing or older than the lock file. Plain JavaScript on purpose: it must start on a fresh clone with any
// Node from 20 on, before anything is installed.
//
// Usage: node start.mjs PROGRAM.ts [ARGS]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const root = import.meta.dirname;
const stamp = join(root, 'node_modules', '.trueup-lock');
const node = join(root, 'node_modules', '.bin', 'node');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

function isInstalled() {
  return existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock;
}

if (!isInstalled()) {
  process.stderr.write('trueup: installing node_modules from package-lock.json (about a minute, once)\n');
  // npm's own report goes to stderr: the program's output may be read by a machine.
  // Its warnings are about the Node that npm runs on, which is not the one that is installed here and used.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', ['ci', ...quiet], { cwd: root, stdio: ['inherit', 2, 2] });
  if (npm.status !== 0) {
    process.stderr.write('trueup: npm ci failed (see above); mend that and run this again\n');
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, lock);
}

const child = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}` },
});
// A terminal sends Ctrl-C to the whole group: the child ends by itself and this one reports how.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
