import { Badge, Group, SegmentedControl, Select, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Fleet } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Failed } from '../parts/failed.tsx';
import type { FleetFilter } from '../parts/fleet-pages.ts';
import { FleetRows } from '../parts/fleet-rows.tsx';
import { FleetTiles } from '../parts/fleet-tiles.tsx';
import { toneOf } from '../parts/state.tsx';

const searchMs = 250;

/** Every target, what needs a person first. */
export function FleetView(): ReactNode {
  const [filter, setFilter] = useState<FleetFilter>({});
  const [shape, setShape] = useState('rows');
  const [asked] = useDebouncedValue(filter, searchMs);
  const head = useQuery({
    queryKey: ['fleet', asked, 0],
    queryFn: ({ signal }) => ask<Fleet>('fleet', { ...asked, offset: 0, limit: 100 }, signal),
    placeholderData: (before) => before,
  });
  const narrow = (part: Partial<Record<keyof FleetFilter, string | null>>): void => {
    const whole = Object.entries({ ...filter, ...part }).filter(
      ([, value]) => value !== null && value !== '',
    );
    setFilter(Object.fromEntries(whole));
  };
  if (head.data === undefined) {
    return head.error === null ? null : <Failed error={head.error} what="the fleet" />;
  }
  const { total, counts, facets } = head.data;
  return (
    <>
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
        <Choice label="cluster" all={facets.clusters} value={filter.cluster} choose={narrow} />
        {facets.projects.length > 1 && (
          <Choice label="project" all={facets.projects} value={filter.project} choose={narrow} />
        )}
        <SegmentedControl
          aria-label="shape"
          size="xs"
          value={shape}
          onChange={setShape}
          data={['rows', 'tiles']}
        />
      </Group>
      <Group px="md" pb="sm" gap={6}>
        <States kind="sync" counts={counts.sync} chosen={filter.sync} choose={narrow} />
        <States kind="health" counts={counts.health} chosen={filter.health} choose={narrow} />
      </Group>
      {shape === 'rows' ? (
        <FleetRows total={total} filter={asked} />
      ) : (
        <FleetTiles total={total} filter={asked} />
      )}
    </>
  );
}

interface Choosing {
  readonly choose: (part: Partial<Record<keyof FleetFilter, string | null>>) => void;
}

interface ChoiceProps extends Choosing {
  readonly label: 'cluster' | 'project';
  readonly all: readonly string[];
  readonly value: string | undefined;
}

function Choice({ label, all, value, choose }: ChoiceProps): ReactNode {
  return (
    <Select
      aria-label={label}
      placeholder={`any ${label}`}
      data={[...all]}
      value={value ?? null}
      onChange={(chosen) => {
        choose({ [label]: chosen });
      }}
      searchable
      clearable
      limit={50}
      w={160}
    />
  );
}

interface StatesProps extends Choosing {
  readonly kind: 'sync' | 'health';
  readonly counts: Readonly<Record<string, number>>;
  readonly chosen: string | undefined;
}

/** How many are in each state; pressed, only those are shown. */
function States({ kind, counts, chosen, choose }: StatesProps): ReactNode {
  return Object.entries(counts).map(([state, count]) => (
    <Badge
      key={state}
      component="button"
      aria-pressed={chosen === state}
      variant={chosen === state ? 'filled' : 'default'}
      size="lg"
      tt="none"
      style={{ cursor: 'pointer', color: chosen === state ? undefined : `var(--${toneOf(state)})` }}
      onClick={() => {
        choose({ [kind]: chosen === state ? null : state });
      }}
    >
      {count.toLocaleString()} {state}
    </Badge>
  ));
}
