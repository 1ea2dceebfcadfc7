import type { FullSizeReport } from './full-size.ts';
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
  return [
    `seed ${seed}, trace ${trace}`,
    describeCounts(counts).trimEnd(),
    ...waits(queues, latencies),
    `requests: ${wordsOf(requests)}`,
    ...rows('functions:', usage),
    `metric hours: ${metricHours}`,
    '',
  ].join('\n');
}

/** An installation in its full size: what it asks for in a quiet month, and how long things wait in hours of work. */
export function describeFullSize(report: FullSizeReport): string {
  const { quietMonth, busyMonth, queues, latencies, counts, failure } = report;
  const broken = failure === undefined ? [] : [`broken: ${failure}`];
  return [
    describeCounts(counts).trimEnd(),
    `a quiet month: ${wordsOf(quietMonth)}`,
    `a month of work: ${wordsOf(busyMonth)}`,
    ...waits(queues, latencies),
    ...broken,
    '',
  ].join('\n');
}

function waits(
  queues: SimulationReport['queues'],
  latencies: SimulationReport['latencies'],
): readonly string[] {
  return [
    ...rows('queues (longest in messages, oldest in ms at its first receive):', queues),
    ...rows('latencies (s):', latencies),
  ];
}

function rows(title: string, table: Readonly<Record<string, object>>): readonly string[] {
  return [
    title,
    ...Object.entries(table).map(([name, figures]) => `  ${name.padEnd(16)} ${wordsOf(figures)}`),
  ];
}

function wordsOf(figures: object): string {
  return Object.entries(figures)
    .map(
      ([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 10) / 10 : String(value)}`,
    )
    .join(', ');
}
