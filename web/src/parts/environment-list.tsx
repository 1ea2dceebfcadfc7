import { Anchor, Card, Code, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { EnvironmentRow } from '../../../core/api/contract-installation.ts';
import type { Fleet } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Ago } from './ago.tsx';
import { Failed } from './failed.tsx';
import { hrefOf } from './fleet-rows.tsx';
import { State } from './state.tsx';

/** How commits go from one environment to the next, and the environments of pull requests. */
export function EnvironmentList(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['environments'],
    queryFn: ({ signal }) => ask<EnvironmentRow[]>('environments', {}, signal),
  });
  return (
    <Stack gap="lg">
      <section>
        <Title order={2} size="h5" mb="xs">
          Promotion
        </Title>
        {error !== null && <Failed error={error} what="the environments" />}
        {data?.length === 0 && (
          <Text size="sm">
            No repository of the configuration names another that it is promoted from (`promotion`).
          </Text>
        )}
        <Group gap="sm" align="stretch">
          {inOrder(data ?? []).map((row) => (
            <Environment key={row.environment} row={row} />
          ))}
        </Group>
      </section>
      <section>
        <Title order={2} size="h5" mb="xs">
          Of pull requests
        </Title>
        <Previews />
      </section>
    </Stack>
  );
}

function Environment({ row }: { readonly row: EnvironmentRow }): ReactNode {
  const { environment, from, commit, at, promoted, waiting } = row;
  return (
    <Card withBorder padding="sm" maw={340} miw={240}>
      <Text fw={600}>{environment}</Text>
      <Text size="xs" c="dimmed">
        {from === undefined ? 'follows its branch' : `from ${from}`}
      </Text>
      <Text size="sm" mt={4}>
        {commit === undefined ? 'nothing yet' : <Code>{commit.slice(0, 7)}</Code>}{' '}
        {at !== undefined && <Ago at={at} />}
      </Text>
      {promoted !== undefined && (
        <Text size="xs" c="dimmed">
          promoted to <Code>{promoted.sha.slice(0, 7)}</Code> by {promoted.by},{' '}
          <Ago at={promoted.at} size="xs" /> ago
        </Text>
      )}
      {waiting !== undefined && (
        <Text size="sm" c="var(--warn)" style={{ overflowWrap: 'anywhere' }}>
          {waiting.sha?.slice(0, 7)} waits: {waiting.why}
        </Text>
      )}
    </Card>
  );
}

/** Each behind the one that it is promoted from. */
function inOrder(rows: readonly EnvironmentRow[]): readonly EnvironmentRow[] {
  const names = new Set(rows.map(({ environment }) => environment));
  const after = (from: string | undefined): readonly EnvironmentRow[] =>
    rows
      .filter((row) =>
        from === undefined ? row.from === undefined || !names.has(row.from) : row.from === from,
      )
      .flatMap((row) => [row, ...after(row.environment)]);
  return after(undefined);
}

/** What the message of such a target begins with; there are no others that hold it. */
const previewWords = 'preview environment of';
const mostShown = 200;

function Previews(): ReactNode {
  const { data } = useQuery({
    queryKey: ['fleet', { q: previewWords }, 'previews'],
    queryFn: ({ signal }) => ask<Fleet>('fleet', { q: previewWords, limit: mostShown }, signal),
  });
  const rows = data?.rows.filter(({ environment }) => environment !== undefined) ?? [];
  if (rows.length === 0) return <Text size="sm">There are none now.</Text>;
  return rows.map((row) => (
    <Group key={`${row.cluster}/${row.application}`} gap="md">
      <Anchor component={Link} href={hrefOf(row)} size="sm">
        {row.application} on {row.cluster}
      </Anchor>
      <State of={row.sync} />
      <State of={row.health} />
      <Anchor href={row.environment?.url ?? ''} target="_blank" rel="noreferrer" size="sm">
        {row.environment?.url}
      </Anchor>
    </Group>
  ));
}
