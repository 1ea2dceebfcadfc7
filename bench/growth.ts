import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { alternate, quickBeats } from './alternate.ts';
import { applicationName, baseApplication } from './manifests.ts';
import { duration, megabytes, table } from './report.ts';
import type { Bench, Workload } from './world.ts';

/** One size; times in seconds. Kept beside the store, so that a later call goes on with the next size. */
const pointSchema = z.object({
  applications: z.number(),
  objects: z.number(),
  check: z.number(),
  floor: z.number(),
  cpu: z.number(),
  maxRssBytes: z.number(),
});
type Point = z.infer<typeof pointSchema>;

/**
 * 5: how time and memory of a clean check grow with the number of objects. `sizes` in applications, in rising order. What it
 * made ends with the cluster: to delete 50,000 objects takes longer than to make them.
 */
export async function growth(
  bench: Bench,
  sizes: readonly number[],
  rounds: number,
): Promise<readonly string[]> {
  let points: readonly Point[] = [];
  for (const size of sizes) {
    const workload = await bench.workload(size, 'bench-growth');
    const file = join(workload.store, '..', 'points.json');
    points = await readPoints(file);
    await grow(bench, workload, points.at(-1)?.applications ?? 0);
    points = [...points, await measure(bench, workload, rounds)];
    await writeFile(file, JSON.stringify(points));
  }
  return reportOf(points);
}

async function readPoints(file: string): Promise<readonly Point[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  return z.array(pointSchema).parse(JSON.parse(text));
}

/** Applies what is more than there was, and has it remembered. */
async function grow(bench: Bench, workload: Workload, from: number): Promise<void> {
  const indexes = [...Array(workload.applications).keys()].slice(from);
  const names = [...(from === 0 ? [baseApplication] : []), ...indexes.map(applicationName)];
  if (names.length === 0) return;
  await using applying = await bench.start('trueup', workload);
  for (const command of ['push', 'apply']) await applying.ask(`${command} ${names.join(' ')}`);
  await applying.ask('check');
}

async function measure(bench: Bench, workload: Workload, rounds: number): Promise<Point> {
  await using trueup = await bench.start('trueup', workload);
  await using lists = await bench.start('floor', workload);
  const entries = [
    { name: 'check', peer: trueup, command: 'check', beats: quickBeats },
    { name: 'floor', peer: lists, command: 'check', beats: quickBeats },
  ];
  const results = await alternate(entries, rounds, bench.progress);
  const [check, floor] = [results.get('check'), results.get('floor')];
  if (check === undefined || floor === undefined) throw new Error('nothing was measured');
  const { applications, objects } = workload;
  const { seconds, cpuSeconds: cpu, maxRssBytes } = check;
  return { applications, objects, check: seconds, floor: floor.seconds, cpu, maxRssBytes };
}

function reportOf(points: readonly Point[]): readonly string[] {
  const rows = points.map(({ objects, check, floor, cpu, maxRssBytes }) => [
    String(objects),
    duration(check),
    duration(floor),
    duration(cpu),
    megabytes(maxRssBytes),
  ]);
  const head = ['objects', 'fast check', 'bare metadata lists', 'CPU of the check', 'peak memory'];
  return [
    table(head, rows),
    chart('Clean check, seconds', points, ({ check }) => check),
    chart('Peak memory, MB', points, ({ maxRssBytes }) => maxRssBytes / 1e6),
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
