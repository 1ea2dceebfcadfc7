import { Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Timeline } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';
import { EventList } from './event-list.tsx';
import { Failed } from './failed.tsx';
import { TimelineAxis } from './timeline-axis.tsx';
import { Toggles } from './toggles.tsx';
import { Waiting } from './waiting.tsx';

const spans = { '1 h': 3_600_000, '6 h': 21_600_000, '1 d': 86_400_000, '7 d': 604_800_000 } as const;
type SpanName = keyof typeof spans;
const minuteMs = 60_000;

interface Props {
  /** Empty: of everything. */
  readonly of: { readonly cluster?: string; readonly application?: string };
}

/** What happened in the last hours or days, on one axis and as a list. */
export function TimelineLook({ of }: Props): ReactNode {
  const [span, setSpan] = useState<SpanName>('1 d');
  const [kind, setKind] = useState<string | null>(null);
  const { data, error } = useQuery({
    queryKey: ['timeline', of, span],
    queryFn: ({ signal }) => {
      // Of whole minutes: the same question again within one is answered by what the browser has.
      const from = Math.floor((Date.now() - spans[span]) / minuteMs) * minuteMs;
      return ask<Timeline>('timeline', { ...of, from: new Date(from).toISOString() }, signal);
    },
    // It reads records of many targets: the dearest question of all.
    refetchInterval: every(minuteMs),
    placeholderData: (before) => before,
  });
  const events = (data?.events ?? []).filter((event) => kind === null || event.kind === kind);
  const counts = Object.groupBy(data?.events ?? [], (event) => event.kind);
  return (
    <Stack gap="sm">
      <Group gap={6}>
        <SegmentedControl
          aria-label="how far back"
          size="xs"
          data={Object.keys(spans)}
          value={span}
          onChange={(chosen) => {
            if (chosen in spans) setSpan(chosen as SpanName);
          }}
        />
        <Toggles
          counts={Object.fromEntries(Object.entries(counts).map(([name, each]) => [name, each.length]))}
          toneOf={() => 'inherit'}
          chosen={kind ?? undefined}
          choose={setKind}
        />
      </Group>
      {error !== null && data === undefined && <Failed error={error} what="what happened" />}
      {data === undefined && error === null && <Waiting />}
      {data !== undefined && (
        <>
          <TimelineAxis timeline={{ ...data, events }} />
          {data.cut && (
            <Text size="sm">
              These are the newest. Narrow it to one target, or take less time, to see all.
            </Text>
          )}
          <EventList events={events} isOfOne={of.cluster !== undefined && of.application !== undefined} />
        </>
      )}
    </Stack>
  );
}
