import { Group, SegmentedControl, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { ClusterRow } from '../../../core/api/contract-installation.ts';
import type { Fleet } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';
import { Choices } from '../parts/choices.tsx';
import { Failed } from '../parts/failed.tsx';
import { filterNames, pageSize } from '../parts/fleet-pages.ts';
import { FleetRows } from '../parts/fleet-rows.tsx';
import { FleetTiles } from '../parts/fleet-tiles.tsx';
import { usePlaceFilter } from '../parts/place-filter.ts';
import { toneOf } from '../parts/state.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { Toggles } from '../parts/toggles.tsx';

const searchMs = 250;
const minuteMs = 60_000;
const colourOf = (state: string): string => `var(--${toneOf(state)})`;

/** Every target, what needs a person first. */
export function FleetView(): ReactNode {
  const [filter, narrow] = usePlaceFilter(filterNames);
  const [shape, setShape] = useState('rows');
  // A new object each time, of which only the content counts.
  const [asked] = useDebouncedValue(JSON.stringify(filter), searchMs);
  const query = JSON.parse(asked) as typeof filter;
  const head = useQuery({
    queryKey: ['fleet', query, 0],
    queryFn: ({ signal }) => ask<Fleet>('fleet', { ...query, offset: 0, limit: pageSize }, signal),
    placeholderData: (before) => before,
  });
  const labels = useLabels();
  if (head.data === undefined) {
    return head.error === null ? <Waiting /> : <Failed error={head.error} what="the fleet" />;
  }
  const { total, counts, facets } = head.data;
  return (
    <div className="fleet">
      <title>{`${counts.attention > 0 ? `(${counts.attention.toLocaleString()}) ` : ''}Fleet · trueup`}</title>
      <Group px="md" py="sm" gap="sm" align="end">
        <Title order={1} size="h4" mr="auto">
          {total.toLocaleString()} {total === 1 ? 'target' : 'targets'}
          {counts.attention > 0 && (
            <Text component="span" c="var(--bad)" ml="xs" size="sm">
              {counts.attention.toLocaleString()} need a look
            </Text>
          )}
        </Title>
        <TextInput
          data-search
          aria-label="search"
          placeholder="search ( / )"
          value={filter.q ?? ''}
          onChange={(event) => {
            narrow({ q: event.currentTarget.value });
          }}
        />
        <Choices
          of={[
            ['cluster', facets.clusters],
            ['project', facets.projects],
            ['label', labels],
            // Applications are too many to choose from: a target's page leads here.
            ['application', []],
          ]}
          filter={filter}
          narrow={narrow}
        />
        <SegmentedControl
          aria-label="shape"
          size="xs"
          value={shape}
          onChange={setShape}
          data={['rows', 'tiles']}
        />
      </Group>
      <Group px="md" pb="sm" gap={6}>
        {(['sync', 'health'] as const).map((kind) => (
          <Toggles
            key={kind}
            counts={counts[kind]}
            toneOf={colourOf}
            chosen={filter[kind]}
            choose={(state) => {
              narrow({ [kind]: state });
            }}
          />
        ))}
      </Group>
      {shape === 'rows' ? (
        <FleetRows total={total} filter={query} />
      ) : (
        <FleetTiles total={total} filter={query} />
      )}
    </div>
  );
}

/** `key=value`, of all clusters. */
function useLabels(): readonly string[] {
  const { data = [] } = useQuery({
    queryKey: ['clusters'],
    queryFn: ({ signal }) => ask<ClusterRow[]>('clusters', {}, signal),
    refetchInterval: every(minuteMs),
  });
  const all = data.flatMap(({ labels }) => Object.entries(labels).map((label) => label.join('=')));
  return [...new Set(all)].toSorted();
}
