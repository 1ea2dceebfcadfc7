const escape = '\u001B';
/** Colours and weights, as `styleText` writes them for words of ours. */
const style = `${escape}\\[(?:[12]|22|3\\d|9[0-7])m`;
const unprintable = new RegExp(`${style}|[^\\P{Cc}\\n\\t]|\\p{Bidi_Control}`, 'gu');

/**
 * A text as it may go to a terminal. Names and messages in it are a stranger's, who could move the cursor, fill the clipboard
 * or hide what follows with a control sequence: all but colours is left out.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (found) => (found.length > 1 && found.startsWith(escape) ? found : ''));
}

/** As `printable`, for one cell of a table: a line break in it would make up a row. */
export function printableCell(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ');
}
