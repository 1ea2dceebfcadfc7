import { Container, SimpleGrid, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Insights } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';
import { since } from '../parts/ago.tsx';
import { DayBars } from '../parts/day-bars.tsx';
import { Failed } from '../parts/failed.tsx';
import { Waiting } from '../parts/waiting.tsx';

/** Where drift comes from, and how fast things go. */
export default function InsightsView(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['insights'],
    queryFn: ({ signal }) => ask<Insights>('insights', {}, signal),
    refetchInterval: every(60_000),
  });
  if (data === undefined) return error === null ? <Waiting /> : <Failed error={error} what="the figures" />;
  const { drift, secondsToDetect, secondsToHeal, leadSeconds, runs, days, cost } = data;
  return (
    <Container size="xl" py="md">
      <title>Insights · trueup</title>
      <Title order={1} size="h4" mb="md">
        The last {days} days
      </Title>
      <SimpleGrid cols={{ base: 2, md: 4 }} mb="lg">
        <Figure name="drift episodes" value={drift.episodes.toLocaleString()} note="" />
        <Figure name="drift → found" {...spreadOf(secondsToDetect)} />
        <Figure name="found → healed" {...spreadOf(secondsToHeal)} />
        <Figure name="push → applied" {...spreadOf(leadSeconds)} />
        <Figure name="runs" value={runs.total.toLocaleString()} note={`${runs.failed} failed or blocked`} />
        {cost !== undefined && (
          <Figure
            name={`cost, ${cost.month}, estimated`}
            value={`${cost.usd.toFixed(2)} USD so far`}
            note={`${cost.wholeMonth.toFixed(2)} USD in the whole month, if it goes on like this`}
          />
        )}
      </SimpleGrid>
      <DayBars name="Drift episodes by day (UTC)" of={drift.byDay} days={days} />
      <SimpleGrid cols={{ base: 1, md: 3 }} my="lg" style={{ alignItems: 'start' }}>
        <Shares name="Drift by cluster" of={drift.byCluster} />
        <Shares name="Drift by kind" of={drift.byKind} />
        <Shares name="Drift by who wrote" of={drift.byManager} />
      </SimpleGrid>
      {cost !== undefined && <Cost of={cost} />}
    </Container>
  );
}

function Cost({ of: { month, of, parts } }: { readonly of: NonNullable<Insights['cost']> }): ReactNode {
  return (
    <>
      <Table captionSide="top" maw={480}>
        <Table.Caption ta="left">Cost of {month} so far, estimated</Table.Caption>
        <Table.Tbody>
          {parts.map(({ name, usd }) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              <Table.Td ta="right">{usd.toFixed(2)} USD</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" maw={640}>
        {of}
      </Text>
    </>
  );
}

function spreadOf({ median, p95 }: { readonly median?: number; readonly p95?: number }): {
  readonly value: string;
  readonly note: string;
} {
  if (median === undefined) return { value: '–', note: 'none yet' };
  return { value: since(median), note: p95 === undefined ? '' : `95 of 100 within ${since(p95)}` };
}

function Figure({
  name,
  value,
  note,
}: {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}): ReactNode {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={600}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {note}
      </Text>
    </div>
  );
}

function Shares({
  name,
  of,
}: {
  readonly name: string;
  readonly of: Insights['drift']['byKind'];
}): ReactNode {
  const most = Math.max(1, ...of.map(({ count }) => count));
  return (
    <Table captionSide="top">
      <Table.Caption ta="left">{name}</Table.Caption>
      <Table.Tbody>
        {of.length === 0 && (
          <Table.Tr>
            <Table.Td>none</Table.Td>
          </Table.Tr>
        )}
        {of.map(({ name: each, count }) => (
          <Table.Tr key={each}>
            <Table.Td style={{ width: '45%', overflowWrap: 'anywhere' }}>{each}</Table.Td>
            <Table.Td>
              <div
                style={{
                  width: `${(100 * count) / most}%`,
                  minWidth: 2,
                  height: 10,
                  background: 'var(--busy)',
                }}
              />
            </Table.Td>
            <Table.Td style={{ width: 48 }}>{count}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
