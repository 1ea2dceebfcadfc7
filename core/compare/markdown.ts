/** In a table a bar ends the cell, even in code. */
export function code(text: string): string {
  const clean = oneLine(text).replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestTicks(clean) + 1);
  const pad = clean.startsWith('`') || clean.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${clean}${pad}${ticks}`;
}

/** Words of ours with names of theirs in them: nothing of it is markup, a link or a mention. */
export function escape(text: string): string {
  return (
    html(oneLine(text))
      .replaceAll(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
      .replaceAll('@', '@\u200b')
      // Hosts make links of bare addresses and of words such as GH-7.
      .replaceAll(/:\/\/|\bwww\.|\bGH-/gi, '$&\u200b')
  );
}

/** A block of text as it is, whatever ticks are in it. */
export function fenced(language: string, text: string): string {
  const ticks = '`'.repeat(Math.max(3, longestTicks(text) + 1));
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** Content under a summary of plain text, folded unless `isOpen`. */
export function folded(summary: string, content: string, isOpen = false): string {
  return `<details${isOpen ? ' open' : ''}><summary>${html(summary)}</summary>\n\n${content}\n\n</details>`;
}

/** Fields and names of custom kinds may hold anything. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function longestTicks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}

function html(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
