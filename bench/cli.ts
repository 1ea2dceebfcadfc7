import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from '../infra/temporary-folder.ts';
import { duration, median, table, writeSection } from './report.ts';

/**
 * `npm run bench:cli`: how long a person waits for the command line as npm installs it, from the start of the process to
 * its end, beside kubectl and Helm where they are there. In turns, so that whatever else the machine does is shared.
 * `-- --rounds 41` for more; writes its section of RESULTS.md.
 */

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' } } });
const rounds = Number(values.rounds);
const root = resolve(import.meta.dirname, '..');
const program = join(root, 'dist/trueup/bin/trueup.js');
const { execPath: node } = process;

using home = temporaryFolder();
const env = {
  ...process.env,
  HOME: home.path,
  XDG_CACHE_HOME: join(home.path, 'cache'),
  NODE_COMPILE_CACHE: '',
};

const built = spawnSync(node, [join(root, 'packaging/build.ts')], { stdio: 'inherit' });
if (built.status !== 0) throw new Error('the package was not built; see above');

const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'node, an empty program': [node, '--eval', '0'],
  'trueup --help': [node, program, '--help'],
  'trueup status --help': [node, program, 'status', '--help'],
  'trueup validate (2 applications)': [node, program, 'validate', '--dir', join(root, 'examples/quickstart')],
  'kubectl version --client': ['kubectl', 'version', '--client'],
  'helm version': ['helm', 'version', '--short'],
};

/** Seconds; undefined where there is no such program. */
function time([command, ...args]: readonly [string, ...string[]]): number | undefined {
  const started = performance.now();
  const { status, error, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
  const seconds = (performance.now() - started) / 1000;
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return seconds;
}

// The first run of each also compiles, and reads from disk.
const first = Object.entries(commands).map(([name, command]) => [name, command, time(command)] as const);
const there = first.filter(([, , seconds]) => seconds !== undefined);
const times = new Map(there.map(([name]) => [name, new Array<number>()]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, command] of there) times.get(name)?.push(time(command) ?? Number.NaN);
}

const rows = there.map(([name, , cold = Number.NaN]) => {
  const all = times.get(name) ?? [];
  return [
    name,
    duration(median(all)),
    `${duration(Math.min(...all))} to ${duration(Math.max(...all))}`,
    duration(cold),
  ];
});
const [load = 0] = loadavg();
const text = `\`npm run bench:cli\`, ${new Date().toISOString().slice(0, 10)}: the built package on Node ${process.version}, ${rounds} rounds, ${cpus().length} cores
with a load of ${load.toFixed(1)}. The first run of all compiles what later ones find in the person's cache folder. Aim: \`--help\` within 150 ms.

${table(['command', 'median', 'range', 'first run'], rows)}`;
console.log(text);
await writeSection('Command line', text);
