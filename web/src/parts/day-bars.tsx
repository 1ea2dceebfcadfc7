import { Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Insights } from '../../../core/api/contract.ts';

const height = 80;
const narrowest = 280;
const widest = 900;

interface Props {
  readonly name: string;
  readonly of: Insights['drift']['byDay'];
  readonly days: number;
}

/** A bar for each day; days of which nothing is told are empty. */
export function DayBars({ name, of, days }: Props): ReactNode {
  const { ref, width: room } = useElementSize<HTMLDivElement>();
  const width = Math.min(widest, Math.max(narrowest, room));
  const counts = new Map(of.map(({ day, count }) => [day, count]));
  const most = Math.max(1, ...counts.values());
  const last = Date.now();
  const all = Array.from({ length: days }, (_, index) =>
    new Date(last - (days - 1 - index) * 86_400_000).toISOString().slice(0, 10),
  );
  const step = width / days;
  return (
    <div ref={ref}>
      <Text size="sm" c="dimmed" mb={4}>
        {name}
      </Text>
      <svg
        width={width}
        height={height + 16}
        role="img"
        aria-label={`${name}: ${of.map(({ day, count }) => `${day} ${count}`).join(', ') || 'none'}`}
      >
        <line x1={0} x2={width} y1={height} y2={height} stroke="#868e96" strokeOpacity={0.5} />
        {all.map((day, index) => {
          const count = counts.get(day) ?? 0;
          const tall = (count / most) * (height - 14);
          return (
            <g key={day}>
              <title>{`${day}: ${count}`}</title>
              <rect
                x={index * step + 1}
                y={height - tall}
                width={step - 2}
                height={tall}
                fill="var(--busy)"
              />
            </g>
          );
        })}
        <text x={0} y={height + 13} fontSize={11} fill="currentColor">
          {all[0]}
        </text>
        <text x={width} y={height + 13} fontSize={11} fill="currentColor" textAnchor="end">
          {all.at(-1)}
        </text>
        <text x={0} y={10} fontSize={11} fill="currentColor">
          {`most: ${most}`}
        </text>
      </svg>
    </div>
  );
}
