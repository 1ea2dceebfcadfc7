import { Container, Group, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import type { Fleet, Topology } from '../../../core/api/contract.ts';
import { ask, every, targetPath } from '../ask.ts';
import { Choices } from '../parts/choices.tsx';
import { Failed } from '../parts/failed.tsx';
import { MapPane } from '../parts/map-pane.tsx';
import { usePlaceFilter } from '../parts/place-filter.ts';
import { Waiting } from '../parts/waiting.tsx';

const pollMs = 15_000;

/** Applications and what each depends on: of one cluster, one project, or all. */
export default function ApplicationsView(): ReactNode {
  const [filter, narrow] = usePlaceFilter(['cluster', 'project']);
  const [, go] = useLocation();
  const { data, error } = useQuery({
    queryKey: ['applications', filter],
    queryFn: ({ signal }) => ask<Topology>('map', filter, signal),
    refetchInterval: every(pollMs),
    placeholderData: (before) => before,
  });
  const { data: fleet } = useQuery({
    queryKey: ['fleet', {}, 'facets'],
    queryFn: ({ signal }) => ask<Fleet>('fleet', { limit: 1 }, signal),
    refetchInterval: every(false),
  });
  return (
    <Container size="xl" py="md">
      <title>Map · trueup</title>
      <Group gap="sm" mb="sm">
        <Title order={1} size="h4" mr="auto">
          Map of the applications
        </Title>
        <Choices
          of={[
            ['cluster', fleet?.facets.clusters ?? []],
            ['project', fleet?.facets.projects ?? []],
          ]}
          filter={filter}
          narrow={narrow}
        />
      </Group>
      {data === undefined && error === null && <Waiting />}
      {error !== null && data === undefined && <Failed error={error} what="the map" />}
      {data?.nodes.length === 0 && <Text size="sm">There are no applications here.</Text>}
      <MapPane
        topology={data}
        name={filter.cluster ?? filter.project ?? 'applications'}
        open={({ cluster, application }) => {
          if (cluster !== undefined) go(`/${targetPath(cluster, application)}/map`);
        }}
      />
    </Container>
  );
}
