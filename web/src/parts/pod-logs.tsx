import { Code, Group, Switch, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Logs } from '../../../core/api/contract-live.ts';
import { ask } from '../ask.ts';
import { Failed } from './failed.tsx';

export interface LogPlace {
  readonly pod: string;
  readonly container: string;
  readonly restarts: number;
}

interface Props {
  readonly path: string;
  readonly objectKey: string;
  readonly place: LogPlace;
}

const lines = 300;

/** The last lines that a container wrote. */
export function PodLogs({ path, objectKey, place: { pod, container, restarts } }: Props): ReactNode {
  const [isPrevious, setIsPrevious] = useState(false);
  const query = { key: objectKey, pod, container, lines, previous: String(isPrevious) };
  const { data, error } = useQuery({
    queryKey: ['logs', path, query],
    queryFn: ({ signal }) => ask<Logs>(`${path}/logs`, query, signal),
  });
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm">
          {pod}, {container}: the last {lines} lines
        </Text>
        {restarts > 0 && (
          <Switch
            size="xs"
            label="before its last restart"
            checked={isPrevious}
            onChange={(event) => {
              setIsPrevious(event.currentTarget.checked);
            }}
          />
        )}
      </Group>
      {error !== null && <Failed error={error} what="the logs" />}
      {data !== undefined && (
        <Code block tabIndex={0} style={{ maxHeight: '40vh', overflow: 'auto' }}>
          {data.text === '' ? 'It wrote nothing.' : data.text}
        </Code>
      )}
    </div>
  );
}
