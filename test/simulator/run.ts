import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { describeCounts, describeFailure, describeFigures, describeFullSize } from './describe.ts';
import { simulateFullSize } from './full-size.ts';
import { seedOf, simulateAll } from './seeds.ts';
import { simulate, type SimulationOptions, type SimulationReport } from './simulate.ts';

/**
 * `npm run simulate`: runs worlds from seeds and exits with 1 when an invariant broke. `--seeds N` tries the seeds from 1
 * (or `--from`) on; `--seed S` runs one and tells its figures, with `--trace` all that happens; `--full` an installation in
 * its full size. The others say how large a world is, how long it lives, and how hard faults strike (`--faults 0`: not at all).
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    cores: { type: 'string' },
    clusters: { type: 'string' },
    targets: { type: 'string' },
    days: { type: 'string' },
    faults: { type: 'string' },
    repositories: { type: 'string' },
    'push-minutes': { type: 'string' },
    'edit-minutes': { type: 'string' },
    'act-minutes': { type: 'string' },
    'sweep-minutes': { type: 'string' },
    'sample-minutes': { type: 'string' },
    'objects-per-target': { type: 'string' },
  },
});

function numberOf(name: keyof typeof values): number | undefined {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Error(`--${name} ${text} is no number`);
}

type Size = Omit<SimulationOptions, 'seed' | 'print' | 'tamper'>;

function given(name: keyof Size, flag: keyof typeof values): Partial<Size> {
  const number = numberOf(flag);
  return number === undefined ? {} : { [name]: number };
}

const size = {
  ...given('clusters', 'clusters'),
  ...given('targets', 'targets'),
  ...given('days', 'days'),
  ...given('faults', 'faults'),
  ...given('repositories', 'repositories'),
  ...given('pushMinutes', 'push-minutes'),
  ...given('editMinutes', 'edit-minutes'),
  ...given('actMinutes', 'act-minutes'),
  ...given('sweepMinutes', 'sweep-minutes'),
  ...given('sampleMinutes', 'sample-minutes'),
  ...given('objectsPerTarget', 'objects-per-target'),
};

function tell(report: SimulationReport): void {
  if (report.failure === undefined) return;
  process.exitCode = 1;
  process.stdout.write(describeFailure(report, process.argv.slice(2)));
}

const seed = numberOf('seed');
if (values.full) {
  const print = (line: string): void => void process.stderr.write(`${line}\n`);
  const { clusters = 1000, targets = 50_000 } = size;
  const report = await simulateFullSize({ ...size, clusters, targets, print });
  process.stdout.write(describeFullSize(report));
  if (report.failure !== undefined) process.exitCode = 1;
} else if (seed !== undefined) {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const report = await simulate({ ...seedOf(seed), ...size, ...(values.trace && { print }) });
  tell(report);
  process.stdout.write(describeFigures(report));
} else {
  const count = numberOf('seeds') ?? 10;
  const from = numberOf('from') ?? 1;
  const started = performance.now();
  const sums = new Map<string, number>();
  let done = 0;
  const seeds = Array.from({ length: count }, (_, place) => ({ ...seedOf(from + place), ...size }));
  await simulateAll(seeds, numberOf('cores') ?? availableParallelism(), (report) => {
    done += 1;
    tell(report);
    for (const [name, value] of Object.entries(report.counts)) sums.set(name, (sums.get(name) ?? 0) + value);
    if (done % 50 === 0) process.stderr.write(`simulate: ${done} of ${count} seeds\n`);
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  const verdict = process.exitCode === 1 ? 'not all invariants held' : 'every invariant held';
  process.stdout.write(
    `${describeCounts(Object.fromEntries(sums))}${count} seeds from ${from} in ${seconds} s: ${verdict}\n`,
  );
}
