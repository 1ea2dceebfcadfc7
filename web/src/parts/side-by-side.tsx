import { diffArrays } from 'diff';
import { useMemo, type ReactNode } from 'react';

interface Side {
  readonly name: string;
  readonly text: string;
}

interface Props {
  readonly before: Side;
  readonly after: Side;
}

interface Pair {
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly isSame: boolean;
}

/** Equal lines beyond that many around a change are folded away. */
const around = 4;

/** Two texts line by line, what differs marked by sign and colour. */
export default function SideBySide({ before, after }: Props): ReactNode {
  const lines = useMemo(
    () => (before.text === after.text ? [] : folded(pairsOf(before.text, after.text))),
    [before.text, after.text],
  );
  const isSame = before.text === after.text;
  return (
    <div className="beside" tabIndex={0} role="region" aria-label={`${before.name} beside ${after.name}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{before.name}</th>
            <th scope="col">{after.name}</th>
          </tr>
        </thead>
        <tbody>
          {isSame && (
            <tr>
              <td colSpan={2}>They are the same.</td>
            </tr>
          )}
          {lines.map((line, index) =>
            line === 'folded' ? (
              <tr key={index}>
                <td colSpan={2} className="beside-fold">
                  …
                </td>
              </tr>
            ) : (
              <tr key={index}>
                <td data-side={line.isSame || line.before === undefined ? undefined : 'before'}>
                  {line.before ?? ''}
                </td>
                <td data-side={line.isSame || line.after === undefined ? undefined : 'after'}>
                  {line.after ?? ''}
                </td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}

/** What was taken away beside what came in its place. */
function pairsOf(before: string, after: string): readonly Pair[] {
  const split = (text: string): string[] => (text === '' ? [] : text.split('\n'));
  const parts = diffArrays(split(before), split(after));
  return parts.flatMap(({ added, removed, value }, index): readonly Pair[] => {
    if (!added && !removed) return value.map((line) => ({ before: line, after: line, isSame: true }));
    const next = parts[index + 1];
    if (removed) {
      const come = next?.added ? next.value : [];
      const most = Math.max(value.length, come.length);
      return Array.from({ length: most }, (_, at) => ({ before: value[at], after: come[at], isSame: false }));
    }
    if (parts[index - 1]?.removed) return [];
    return value.map((line) => ({ before: undefined, after: line, isSame: false }));
  });
}

function folded(pairs: readonly Pair[]): readonly (Pair | 'folded')[] {
  const changed = pairs.flatMap(({ isSame }, index) => (isSame ? [] : [index]));
  const near = new Set(
    changed.flatMap((at) => Array.from({ length: 2 * around + 1 }, (_, step) => at - around + step)),
  );
  return pairs.flatMap((pair, index): readonly (Pair | 'folded')[] => {
    if (near.has(index)) return [pair];
    return index === 0 || near.has(index - 1) ? ['folded'] : [];
  });
}
