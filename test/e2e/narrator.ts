import { styleText } from 'node:util';

/** Tells the story of a demo on a terminal; colours only where there is one (styleText obeys NO_COLOR). */
export interface Narrator {
  /** Steps that were seen, in order; the demo passes only when all of them were. */
  readonly seen: string[];
  chapter(title: string): void;
  /** A plain line. */
  say(line: string): void;
  /** A step seen in the system's records, with the seconds since the chapter's clock started. */
  step(name: string, seconds: number | undefined, detail: string): void;
}

export function narrator(write: (line: string) => void): Narrator {
  const seen: string[] = [];
  return {
    seen,
    chapter: (title) => write(`\n${styleText('bold', title)}`),
    say: (line) => write(`  ${line}`),
    step: (name, seconds, detail) => {
      seen.push(name);
      const clock = seconds === undefined ? '' : `+${seconds.toFixed(1)} s`;
      write(
        `  ${styleText('green', '✓')} ${clock.padStart(8)}  ${styleText('cyan', name.padEnd(18))} ${detail}`,
      );
    },
  };
}
