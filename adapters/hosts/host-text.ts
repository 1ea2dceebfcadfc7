import { clipped } from '../../core/model/clipped.ts';

/** A line for a field that holds only so many characters. */
export function cutLine(text: string, longest: number): string {
  return clipped(text.replaceAll(/\s+/g, ' '), longest);
}

const notice = '\n\n*The rest does not fit here.*\n';

/** Markdown of at most so many characters: cut at the end of a line, with what is open there closed. */
export function cutMarkdown(text: string, longest: number): string {
  if (text.length <= longest) return text;
  let kept = text.slice(0, longest - notice.length);
  for (;;) {
    const end = kept.lastIndexOf('\n');
    kept = (end > 0 ? kept.slice(0, end) : kept.slice(0, -1)).replace(/[\uD800-\uDBFF]$/, '');
    const whole = `${kept}${closingOf(kept)}${notice}`;
    if (whole.length <= longest || kept === '') return whole;
  }
}

/** Fences and folded parts that a text leaves open would swallow what comes after them. */
function closingOf(text: string): string {
  let fence: string | undefined;
  let folded = 0;
  for (const line of text.split('\n')) {
    const [, marks] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence !== undefined) {
      if (marks !== undefined && marks.startsWith(fence) && line.trim() === marks) fence = undefined;
    } else if (marks === undefined) {
      folded += (line.match(/<details/g)?.length ?? 0) - (line.match(/<\/details>/g)?.length ?? 0);
    } else fence = marks;
  }
  return `${fence === undefined ? '' : `\n${fence}`}${'\n</details>'.repeat(Math.max(0, folded))}`;
}
