import { globSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** One page of documentation, by its path from the root of the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** The README and everything under `docs/`. */
export function pages(): readonly Page[] {
  return ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()].map(readPage);
}

/** The text without fenced blocks: what is in them is code, whose `#` and brackets mean other things. */
function prose({ text }: Page): string {
  return text.replaceAll(/^( *)```[^]*?^\1```$/gm, '');
}

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** As GitHub makes it. */
  readonly anchor: string;
}

export function headingsOf(page: Page): readonly Heading[] {
  return [...prose(page).matchAll(/^(#+) +(.+)$/gm)].map(([, marks = '', text = '']) => ({
    level: marks.length,
    text,
    anchor: text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  }));
}

/** Targets of inline links: addresses, paths relative to the page, anchors. */
export function linksOf(page: Page): readonly string[] {
  return [...prose(page).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
}

/** A relative link as a path from the root of the repository, and the anchor behind it. */
export function resolveLink(page: Page, link: string): { readonly path: string; readonly anchor: string } {
  const [file = '', anchor = ''] = link.split('#');
  return { path: file === '' ? page.path : posix.join(posix.dirname(page.path), file), anchor };
}

/** Words inside backticks that look like a path of this repository; a line number or an anchor is left out. */
export function pathsNamedIn(page: Page): readonly string[] {
  const folders = /^(?:core|adapters|functions|cli|infra|test|docs|examples|bench|web|packaging|\.ci)\//;
  const files = /^[\w.-]+\.(?:json|mjs|md)$/;
  return [...prose(page).matchAll(/`([^`\n]+)`/g)]
    .flatMap(([, span = '']) => span.split(/\s+/))
    .map((word) => word.replace(/[#:].*$/, '').replace(/[,.]$/, ''))
    .filter((word) => folders.test(word) || files.test(word));
}

/** Cells of the table row whose first cell begins with this text, the first one included. */
export function rowOf({ path, text }: Page, first: string): readonly string[] {
  const row = text.split('\n').find((line) => line.startsWith(`| ${first}`));
  if (row === undefined) throw new Error(`${path} has no table row that begins with ${first}`);
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
