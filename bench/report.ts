import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const file = join(import.meta.dirname, 'RESULTS.md');

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = NaN, high = low] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

/** `9.31 s`, `24 ms`. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 0)} MB`;
}

/** `1/388`, `0.41×`: how much of the other's time ours is. */
export function ratio(ours: number, other: number): string {
  const part = other / ours;
  return part >= 3 ? `1/${part.toFixed(0)}` : `${(ours / other).toFixed(2)}×`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Replaces the section of that heading in RESULTS.md, or adds it at the end. */
export async function writeSection(heading: string, text: string): Promise<void> {
  const sections = (await readFile(file, 'utf8')).trimEnd().split(/\n(?=## )/);
  const section = `## ${heading}\n\n${text.trim()}\n`;
  const at = sections.findIndex((each) => each.startsWith(`## ${heading}\n`));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  await writeFile(file, `${sections.map((each) => each.trimEnd()).join('\n\n')}\n`);
}
