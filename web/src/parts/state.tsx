import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'quiet';

const tones: Readonly<Record<string, Tone>> = {
  Synced: 'good',
  Healthy: 'good',
  Drifted: 'bad',
  Degraded: 'bad',
  Missing: 'bad',
  Pending: 'busy',
  Reconciling: 'busy',
  Progressing: 'busy',
  Suspended: 'quiet',
  Unknown: 'warn',
};
/** By which a state is told where there is room for one letter. */
export const signs: Readonly<Record<Tone, string>> = {
  good: '✓',
  bad: '✕',
  warn: '?',
  busy: '↻',
  quiet: '⏸',
};

/** A state by sign, word and colour, so that it is told without colours too. */
export function State({ of }: { readonly of: string }): ReactNode {
  const tone = toneOf(of);
  return (
    <Text component="span" size="sm" c={`var(--${tone})`} className="cut">
      <span aria-hidden="true">{signs[tone]} </span>
      {of}
    </Text>
  );
}

export function toneOf(state: string): Tone {
  return tones[state] ?? 'quiet';
}
