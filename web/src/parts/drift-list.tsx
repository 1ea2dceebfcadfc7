import { Accordion, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { DriftEpisode } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Ago } from './ago.tsx';
import { Failed } from './failed.tsx';
import { Waiting } from './waiting.tsx';
import { FieldTable } from './field-table.tsx';
import { nameOf } from './object-name.ts';

/** The drift of the last two weeks, newest first. */
export function DriftList({ path }: { readonly path: string }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['drift', path],
    queryFn: ({ signal }) => ask<DriftEpisode[]>(`${path}/drift`, {}, signal),
  });
  if (data === undefined) return error === null ? <Waiting /> : <Failed error={error} what="its drift" />;
  if (data.length === 0) return <Text size="sm">None in the last 14 days.</Text>;
  return (
    <Accordion variant="separated" chevronPosition="left">
      {data.map((episode) => (
        <Accordion.Item key={episode.id} value={episode.id}>
          <Accordion.Control>
            <Group gap="sm" wrap="nowrap">
              <Text size="sm" className="cut" style={{ flex: 1 }}>
                {nameOf(episode.key)}
              </Text>
              <Text size="sm" c={episode.state === 'open' ? 'var(--bad)' : 'dimmed'}>
                {episode.state}
              </Text>
              <Ago at={episode.openedAt} />
            </Group>
          </Accordion.Control>
          <Accordion.Panel>
            <FieldTable episode={episode} />
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}
