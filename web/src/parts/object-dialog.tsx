import { Code, Modal, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ObjectDetail, ObjectRow } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Failed } from './failed.tsx';
import { FieldTable } from './field-table.tsx';
import { yamlOf } from './yaml-of.ts';

interface Props {
  readonly path: string;
  readonly object: ObjectRow;
  readonly close: () => void;
}

/** One object: what differs, what Git says, what was applied. Secrets come masked from the server. */
export function ObjectDialog({ path, object, close }: Props): ReactNode {
  const answer = useQuery({
    queryKey: ['object', path, object.key],
    queryFn: ({ signal }) => ask<ObjectDetail>(`${path}/object`, { key: object.key }, signal),
  });
  const { data, error } = answer;
  return (
    <Modal opened onClose={close} size="xl" title={`${object.kind} ${object.namespace ?? ''} ${object.name}`}>
      {error !== null && <Failed error={error} what="this object" />}
      {data !== undefined && (
        <Tabs defaultValue={data.drift === undefined ? 'desired' : 'drift'}>
          <Tabs.List>
            {data.drift !== undefined && <Tabs.Tab value="drift">What differs</Tabs.Tab>}
            <Tabs.Tab value="desired">Git says</Tabs.Tab>
            <Tabs.Tab value="applied">Applied last</Tabs.Tab>
          </Tabs.List>
          {data.drift !== undefined && (
            <Tabs.Panel value="drift" pt="sm">
              <FieldTable episode={data.drift} />
            </Tabs.Panel>
          )}
          <Tabs.Panel value="desired" pt="sm">
            <Manifest of={data.desired} none="Git has no such object any more." origin={object.origin} />
          </Tabs.Panel>
          <Tabs.Panel value="applied" pt="sm">
            <Manifest of={data.applied} none="It was not applied yet." origin={undefined} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Modal>
  );
}

interface ManifestProps {
  readonly of: ObjectDetail['desired'];
  readonly none: string;
  readonly origin: string | undefined;
}

function Manifest({ of, none, origin }: ManifestProps): ReactNode {
  if (of === null) return <Text size="sm">{none}</Text>;
  return (
    <Stack gap="xs">
      {origin !== undefined && (
        <Text size="xs" c="dimmed">
          {origin}
        </Text>
      )}
      <Code block tabIndex={0} style={{ maxHeight: '60vh', overflow: 'auto' }}>
        {yamlOf(of)}
      </Code>
    </Stack>
  );
}
