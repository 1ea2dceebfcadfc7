import { Container, Group, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Fleet } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';
import { Choices } from '../parts/choices.tsx';
import { usePlaceFilter } from '../parts/place-filter.ts';
import { TimelineLook } from '../parts/timeline-look.tsx';

const mostNames = 500;

/** What happened: of one application, one cluster, one target or all. */
export default function TimelineView(): ReactNode {
  const [filter, narrow] = usePlaceFilter(['cluster', 'application']);
  const { data } = useQuery({
    queryKey: ['fleet', { cluster: filter.cluster }, 'names'],
    queryFn: ({ signal }) =>
      ask<Fleet>('fleet', { cluster: filter.cluster, sort: 'name', limit: mostNames }, signal),
    refetchInterval: every(false),
  });
  const applications = [...new Set(data?.rows.map(({ application }) => application) ?? [])];
  return (
    <Container size="xl" py="md">
      <title>Timeline · trueup</title>
      <Group gap="sm" mb="sm">
        <Title order={1} size="h4" mr="auto">
          Timeline
        </Title>
        <Choices
          of={[
            ['cluster', data?.facets.clusters ?? []],
            ['application', applications],
          ]}
          filter={filter}
          narrow={narrow}
        />
      </Group>
      <TimelineLook of={filter} />
    </Container>
  );
}
