import type { SimulationReport } from './simulate.ts';

/** The failing seed, what broke, what happened last, and how to see it again. */
export function describeFailure({ seed, failure, trace }: SimulationReport, args: readonly string[]): string {
  if (failure === undefined) return '';
  const { step, message, last } = failure;
  const others = args.filter(
    (arg, place) =>
      !/^--(seeds|from|seed|cores)/.test(args[place - 1] ?? '') &&
      !/^--(seeds|from|seed|cores|trace)/.test(arg),
  );
  const command = ['npm run simulate --', '--seed', seed, ...others, '--trace'].join(' ');
  return [
    `seed ${seed}, step ${step}, trace ${trace}`,
    ...last.map((line) => `  ${line}`),
    `broken: ${message}`,
    `replay: ${command}`,
    '',
  ].join('\n');
}

/** What happened in a world, or in several. */
export function describeCounts(counts: Readonly<Record<string, number>>): string {
  return `counts: ${wordsOf(counts)}\n`;
}

/** Queues, latencies, requests and functions of one world. */
export function describeFigures(report: SimulationReport): string {
  const { seed, trace, counts, queues, latencies, requests, usage, metricHours } = report;
  const rows = (title: string, table: Readonly<Record<string, object>>): string[] => [
    title,
    ...Object.entries(table).map(([name, figures]) => `  ${name.padEnd(16)} ${wordsOf(figures)}`),
  ];
  return [
    `seed ${seed}, trace ${trace}`,
    describeCounts(counts).trimEnd(),
    ...rows('queues (longest in messages, oldest in ms at its first receive):', queues),
    ...rows('latencies (s):', latencies),
    `requests: ${wordsOf(requests)}`,
    ...rows('functions:', usage),
    `metric hours: ${metricHours}`,
    '',
  ].join('\n');
}

function wordsOf(figures: object): string {
  return Object.entries(figures)
    .map(
      ([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 10) / 10 : String(value)}`,
    )
    .join(', ');
}
