import { stripVTControlCharacters, styleText } from 'node:util';
import { printable } from './printable.ts';

/** Whoever waits longer sees that something is going on. */
const quietMs = 1000;

/**
 * Shows on stderr that work is under way once it lasts longer than a second, where a person sits there; elsewhere nothing.
 * `handlesSignals`: nobody else cleans up after a Ctrl-C.
 */
export async function withProgress<T>(
  text: string,
  work: () => Promise<T>,
  { handlesSignals = true }: { readonly handlesSignals?: boolean } = {},
): Promise<T> {
  if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') return work();
  const { default: createSpinner } = await import('yocto-spinner');
  const spinner = createSpinner({ text, handleSignals: handlesSignals });
  const late = setTimeout(() => spinner.start(), quietMs);
  try {
    return await work();
  } finally {
    clearTimeout(late);
    if (spinner.isSpinning) spinner.stop();
  }
}

/** A line for the person who waits; colours only where stderr itself shows them. */
export function tell(line: string): void {
  const isColoured = styleText('red', 'x', { stream: process.stderr }) !== 'x';
  process.stderr.write(`${printable(isColoured ? line : stripVTControlCharacters(line))}\n`);
}
