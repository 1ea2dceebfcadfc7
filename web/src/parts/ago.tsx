import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { exactly, useNow } from './when.ts';

const steps = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

interface Props {
  readonly at: string | undefined;
  readonly size?: 'xs' | 'sm';
}

/** How long ago, short; the exact time is its title. */
export function Ago({ at, size = 'sm' }: Props): ReactNode {
  const now = useNow();
  if (at === undefined) return <Text component="span" size={size} c="dimmed" children="never" />;
  return (
    <Text
      component="time"
      dateTime={at}
      title={exactly(at)}
      size={size}
      c="dimmed"
      style={{ whiteSpace: 'nowrap' }}
    >
      {since((now - Date.parse(at)) / 1000)}
    </Text>
  );
}

/** `3 m`, `2 h`; of seconds. */
export function since(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [unit, size] = steps.find(([, each]) => whole >= each) ?? ['s', 1];
  return `${Math.floor(whole / size)} ${unit}`;
}
