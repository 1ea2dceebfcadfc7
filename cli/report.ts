import { styleText } from 'node:util';
import Table from 'cli-table3';
import { exitCodes, type ExitCode } from './cli-error.ts';
import { printable, printableCell } from './printable.ts';
import { tell } from './progress.ts';

export const formats = ['table', 'json', 'yaml'] as const;
/** `name`: one name a line, as other verbs take it; `wide`: a table with more columns. */
export type Format = (typeof formats)[number] | 'name' | 'wide';

/** What a verb found: data for machines, text for people, and the exit status. */
export interface Report {
  readonly data: unknown;
  readonly text: string;
  /** Lines for stderr, whatever the format: what is not as complete as it looks. */
  readonly notes?: readonly string[];
  readonly exitCode?: ExitCode;
  /** For a verb that is asked for it. */
  readonly markdown?: string;
  /** Where YAML is more than the data as one document. */
  readonly yaml?: string;
  /** For `-o name`, of verbs that offer it. */
  readonly names?: readonly string[];
  /** For `-o wide`, of verbs that offer it. */
  readonly wide?: string;
}

export async function print(report: Report, format: Format | 'markdown'): Promise<ExitCode> {
  process.stdout.write(await render(report, format));
  for (const note of report.notes ?? []) tell(note);
  return report.exitCode ?? exitCodes.ok;
}

/** A report in one format, with the newline at its end. */
export async function render(
  { data, text, yaml, markdown, names = [], wide = text }: Report,
  format: Format | 'markdown',
): Promise<string> {
  if (format === 'name') return names.map((name) => `${printableCell(name)}\n`).join('');
  if (format === 'markdown' && markdown !== undefined) return markdown;
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`;
  if (format === 'yaml') return yaml ?? (await import('js-yaml')).dump(JSON.parse(JSON.stringify(data)));
  const shown = format === 'wide' ? wide : text;
  return shown === '' ? '' : `${printable(shown)}\n`;
}

/** Columns without lines, as kubectl prints them: they survive grep and a copy into an issue. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((name) => [name, '']),
  );
  const printed = new Table({
    head: [...head],
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  printed.push(...rows.map((row) => row.map(printableCell)));
  return printed
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const colours: Readonly<Record<string, 'green' | 'yellow' | 'red' | 'cyan'>> = {
  Synced: 'green',
  Reachable: 'green',
  Healthy: 'green',
  applied: 'green',
  healed: 'green',
  reverted: 'green',
  Pending: 'yellow',
  Progressing: 'yellow',
  Reconciling: 'cyan',
  Suspended: 'cyan',
  Unknown: 'yellow',
  cancelled: 'yellow',
  Drifted: 'red',
  Degraded: 'red',
  Missing: 'red',
  Unreachable: 'red',
  Unchecked: 'yellow',
  failed: 'red',
  blocked: 'red',
  open: 'red',
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

/** A word of ours in its colour; plain when stdout is no terminal or NO_COLOR is set. */
export function coloured(word: string): string {
  const colour = colours[word];
  return colour === undefined ? word : styleText(colour, word, { stream: process.stdout });
}

/** `45s`, `12m`, `3h`, `2d`: how long ago, as kubectl says it. */
export function age(iso: string | undefined, now: number): string {
  if (iso === undefined) return '-';
  return duration((now - Date.parse(iso)) / 1000);
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172_800) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}

export function short(sha: string): string {
  return sha.slice(0, 7);
}

export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
