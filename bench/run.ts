import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { cleanCheck } from './clean-check.ts';
import { drifted } from './drifted.ts';
import { firstApply } from './first-apply.ts';
import { growth } from './growth.ts';
import { oneChange } from './one-change.ts';
import { writeSection } from './report.ts';
import { openBench, type Bench } from './world.ts';

/**
 * `npm run bench`: our engine beside those of others on one local kube-apiserver. `-- --parts clean,first --rounds 5` chooses; without flags all parts run, which takes about two hours on 2 cores. Writes its sections of RESULTS.md.
 */

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'clean,first,change,drifted,growth' },
    rounds: { type: 'string', default: '7' },
    /** Part of the sizes, to see that all works: RESULTS.md is left alone then. */
    scale: { type: 'string', default: '1' },
    /** Of the one part that is chosen, in place of its own: it can be run in pieces. RESULTS.md is left alone. */
    sizes: { type: 'string' },
    /** A folder that stays, so that `growth` goes on where it ended; needs a cluster that stays: TRUEUP_KUBECONFIG. */
    state: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const scale = Number(values.scale);
const given = values.sizes?.split(',').map(Number);
const sizes = (...counts: readonly number[]) =>
  given ?? counts.map((count) => Math.max(1, Math.round(count * scale)));

const parts: Readonly<Record<string, readonly [string, (bench: Bench) => Promise<readonly string[]>]>> = {
  clean: ['Clean check', async (bench) => cleanCheck(bench, sizes(250, 1000), rounds)],
  first: ['First apply', async (bench) => firstApply(bench, sizes(250, 1000), Math.min(rounds, 4))],
  change: ['One change, and churn', async (bench) => oneChange(bench, sizes(250, 10_000, 50), rounds)],
  drifted: [
    'Drifted objects',
    async (bench) => {
      const [applications = 1000, ...counts] = sizes(1000, 10, 100, 1000);
      return drifted(bench, applications, counts, Math.min(rounds, 3));
    },
  ],
  growth: ['Growth', async (bench) => growth(bench, sizes(250, 1000, 2500, 5000, 12_500), rounds)],
};

const progress = (line: string) => process.stderr.write(`${line}\n`);
const versions =
  'Flux: `github.com/fluxcd/pkg/ssa` v0.77.0, `ApplyAllStaged`; Argo CD: `github.com/argoproj/gitops-engine` v0.7.3 (of 2022, the newest that builds with Go 1.26); kubectl 1.36; kube-apiserver 1.36.3 with etcd that does not fsync, and our store in a folder in memory.';
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}; engines and API server share them.`;

const asked = values.parts.split(',');
const unknown = asked.filter((part) => parts[part] === undefined);
// In their own order: what `growth` makes stays.
const chosen = Object.keys(parts).filter((part) => asked.includes(part));
if (unknown.length > 0)
  throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
await using bench = await openBench(progress, values.state);
for (const part of chosen) {
  const [heading, run] = parts[part] ?? ['', async () => []];
  const texts = await run(bench);
  const intro = `\`npm run bench -- --parts ${part}\`, ${new Date().toISOString().slice(0, 10)}, on ${machine}\n${versions}`;
  const text = [intro, ...texts].join('\n\n');
  console.log(`## ${heading}\n\n${text}\n`);
  if (scale === 1 && given === undefined) await writeSection(heading, text);
}
