import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import { render, type Format, type Report } from './report.ts';

const leastPauseMs = 2000;
/** A large fleet is asked more seldom: each look reads every record that it shows. */
const pausePerLook = 10;
/** Cursor home, and all below it is wiped. */
const redraw = '\u001B[H\u001B[J';

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

interface Watching {
  readonly output?: Output;
  /** Ends it; Ctrl-C does by itself. */
  readonly until?: AbortSignal;
  readonly pauseMs?: number;
}

/**
 * Shows a report again whenever its data change: on a terminal in place, elsewhere one after the other, as documents where
 * that is the format. A look that fails is told, and the next one comes; the first one must succeed.
 */
export async function watch(
  look: () => Promise<Report>,
  format: Format,
  { output = process.stdout, until, pauseMs = leastPauseMs }: Watching = {},
): Promise<void> {
  let shown: string | undefined;
  for (;;) {
    if (until?.aborted === true) return;
    const began = performance.now();
    try {
      const report = await look();
      const state = JSON.stringify(report.data);
      const isNew = state !== shown;
      // Ages in a table go on by themselves.
      if (isNew || output.isTTY === true)
        output.write(await frame(report, format, shown !== undefined, output));
      shown = state;
    } catch (error) {
      if (shown === undefined) throw error;
      process.stderr.write(`trueup: ${messageOf(error)}; looking again\n`);
    }
    const rest = Math.max(pauseMs, (performance.now() - began) * pausePerLook);
    await pause(rest, undefined, { ...(until && { signal: until }) }).catch(() => undefined);
  }
}

async function frame(report: Report, format: Format, isLater: boolean, output: Output): Promise<string> {
  const text = [await render(report, format), ...(report.notes ?? []).map((note) => `${note}\n`)].join('');
  if (output.isTTY === true) return `${redraw}${text}`;
  if (format === 'yaml') return `---\n${text}`;
  return isLater && isTable(format) ? `\n${text}` : text;
}

function isTable(format: Format): boolean {
  return format === 'table' || format === 'wide';
}
