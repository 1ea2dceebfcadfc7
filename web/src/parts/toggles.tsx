import { Badge } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  /** How many of each. */
  readonly counts: Readonly<Record<string, number>>;
  readonly toneOf: (name: string) => string;
  readonly chosen: string | undefined;
  readonly choose: (name: string | null) => void;
}

/** How many there are of each; pressed, only those are shown. */
export function Toggles({ counts, toneOf, chosen, choose }: Props): ReactNode {
  // The chosen one stays, so that it can be taken away where none is left of it.
  const shown = chosen === undefined || chosen in counts ? counts : { ...counts, [chosen]: 0 };
  return Object.entries(shown).map(([name, count]) => (
    <Badge
      key={name}
      component="button"
      aria-pressed={chosen === name}
      variant={chosen === name ? 'filled' : 'default'}
      size="lg"
      tt="none"
      style={{ cursor: 'pointer', color: chosen === name ? undefined : toneOf(name) }}
      onClick={() => {
        choose(chosen === name ? null : name);
      }}
    >
      {count.toLocaleString()} {name}
    </Badge>
  ));
}
