import { alternate, type Result } from './alternate.ts';
import { duration, megabytes, table } from './report.ts';
import type { Bench } from './world.ts';

interface Point {
  readonly objects: number;
  readonly check: Result;
  readonly floor: Result;
}

/** 5: how time and memory of a clean check grow with the number of objects. */
export async function growth(
  bench: Bench,
  sizes: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  const points: Point[] = [];
  for (const size of sizes) {
    const workload = await bench.workload(size);
    {
      await using applying = await bench.start('trueup', workload);
      for (const command of ['push', 'apply', 'check']) await applying.ask(command);
    }
    await using trueup = await bench.start('trueup', workload);
    await using lists = await bench.start('floor', workload);
    const entries = [
      { name: 'check', peer: trueup, command: 'check' },
      { name: 'floor', peer: lists, command: 'check' },
    ];
    const results = await alternate(entries, rounds, bench.progress);
    const [check, floor] = [results.get('check'), results.get('floor')];
    if (check !== undefined && floor !== undefined) points.push({ objects: workload.objects, check, floor });
    await bench.discard(workload);
  }
  const rows = points.map(({ objects, check, floor }) => [
    String(objects),
    duration(check.seconds),
    duration(floor.seconds),
    duration(check.cpuSeconds),
    megabytes(check.maxRssBytes),
  ]);
  const head = ['objects', 'fast check', 'bare metadata lists', 'CPU of the check', 'peak memory'];
  return [
    table(head, rows),
    chart('Clean check, seconds', points, ({ check }) => check.seconds),
    chart('Peak memory, MB', points, ({ check }) => check.maxRssBytes / 1e6),
  ];
}

function chart(title: string, points: readonly Point[], of: (point: Point) => number): string {
  const values = points.map((point) => of(point).toPrecision(3));
  return [
    '```mermaid',
    'xychart-beta',
    `  title "${title}"`,
    `  x-axis "objects" [${points.map(({ objects }) => objects).join(', ')}]`,
    `  y-axis "${title}" 0 --> ${Math.ceil(1.1 * Math.max(...points.map(of)) * 10) / 10}`,
    `  line [${values.join(', ')}]`,
    '```',
  ].join('\n');
}
