/**
 * Whether a path fits a pattern: `*` and `?` inside one folder, `**` as a folder over any number of folders. Ours, since
 * patterns come with a push: this takes no longer than the lengths multiplied, and picomatch minutes for a few stars.
 */
export function matchesGlob(glob: string, path: string): boolean {
  return fits(glob.split('/'), path.split('/'), '**', (pattern, name) =>
    fits(Array.from(pattern), Array.from(name), '*', (wanted, found) => wanted === '?' || wanted === found),
  );
}

/** Of a star that fits too little, only the last one is worth going back to. */
function fits(
  pattern: readonly string[],
  text: readonly string[],
  star: string,
  isOne: (pattern: string, text: string) => boolean,
): boolean {
  let [at, next] = [0, 0];
  let back: { at: number; next: number } | undefined;
  while (next < text.length) {
    const wanted = pattern[at];
    if (wanted === star) {
      at += 1;
      back = { at, next };
    } else if (wanted !== undefined && isOne(wanted, text[next] ?? '')) {
      at += 1;
      next += 1;
    } else if (back !== undefined) {
      back = { at: back.at, next: back.next + 1 };
      ({ at, next } = back);
    } else {
      return false;
    }
  }
  return pattern.slice(at).every((rest) => rest === star);
}
