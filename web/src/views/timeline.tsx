import { Anchor, Container, Group, SegmentedControl, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { Timeline } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Failed } from '../parts/failed.tsx';
import { TimelineAxis } from '../parts/timeline-axis.tsx';

const spans = { '1 h': 3_600_000, '6 h': 21_600_000, '1 d': 86_400_000, '7 d': 604_800_000 } as const;
type SpanName = keyof typeof spans;
const minuteMs = 60_000;

const tones = {
  good: 'var(--good)',
  bad: 'var(--bad)',
  running: 'var(--busy)',
  neutral: 'var(--quiet)',
} as const;

/** What happened, newest first, with one axis over it. */
export default function TimelineView(): ReactNode {
  const [span, setSpan] = useState<SpanName>('1 d');
  const { data, error } = useQuery({
    queryKey: ['timeline', span],
    queryFn: ({ signal }) => {
      // Of whole minutes: the same question again within one is answered by what the browser has.
      const from = Math.floor((Date.now() - spans[span]) / minuteMs) * minuteMs;
      return ask<Timeline>('timeline', { from: new Date(from).toISOString() }, signal);
    },
  });
  return (
    <Container size="xl" py="md">
      <Group justify="space-between" mb="sm">
        <Title order={1} size="h4">
          Timeline
        </Title>
        <SegmentedControl
          aria-label="how far back"
          size="xs"
          data={Object.keys(spans)}
          value={span}
          onChange={(chosen) => {
            if (chosen in spans) setSpan(chosen as SpanName);
          }}
        />
      </Group>
      {error !== null && <Failed error={error} what="what happened" />}
      {data !== undefined && (
        <>
          <TimelineAxis timeline={data} />
          {data.cut && <Text size="sm">The newest of these; older ones are in the records.</Text>}
          {data.events.length === 0 && <Text size="sm">Nothing happened.</Text>}
          {data.events.map(({ at, kind, state, title, detail, link, cluster, application }) => (
            <Group
              key={`${at} ${kind} ${title} ${cluster ?? ''} ${application ?? ''}`}
              className="event"
              gap="sm"
              wrap="nowrap"
              align="baseline"
            >
              <Text
                size="sm"
                c="dimmed"
                component="time"
                dateTime={at}
                w={170}
                className="cut"
                visibleFrom="sm"
              >
                {new Date(at).toLocaleString()}
              </Text>
              <Text size="sm" c={tones[state]} w={64}>
                {kind}
              </Text>
              <Text size="sm" className="cut" title={detail} style={{ flex: 1 }}>
                {link !== undefined && (
                  <Anchor component={Link} href={link} size="sm">
                    {application} on {cluster}
                  </Anchor>
                )}{' '}
                {title}{' '}
                <Text component="span" size="sm" c="dimmed">
                  {detail}
                </Text>
              </Text>
            </Group>
          ))}
        </>
      )}
    </Container>
  );
}
