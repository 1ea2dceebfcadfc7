import { Anchor, Badge, Group, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { ClusterRow } from '../../../core/api/contract-installation.ts';
import { ask } from '../ask.ts';
import { Ago } from './ago.tsx';
import { Failed } from './failed.tsx';
import { Waiting } from './waiting.tsx';

/** The clusters that are served, and when each was looked at last. */
export function ClusterList(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['clusters'],
    queryFn: ({ signal }) => ask<ClusterRow[]>('clusters', {}, signal),
  });
  if (data === undefined) return error === null ? <Waiting /> : <Failed error={error} what="the clusters" />;
  if (data.length === 0) return <Text size="sm">None is configured, and none was found.</Text>;
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Cluster</Table.Th>
            <Table.Th>Kubernetes</Table.Th>
            <Table.Th>Targets</Table.Th>
            <Table.Th>Checked</Table.Th>
            <Table.Th>Labels</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.map(({ name, labels, version, checkedAt, unreachable, targets }) => (
            <Table.Tr key={name}>
              <Table.Td>
                <Anchor component={Link} href={`/?cluster=${encodeURIComponent(name)}`} size="sm">
                  {name}
                </Anchor>
                {unreachable !== undefined && (
                  <Text size="xs" c="var(--bad)">
                    not reached: {unreachable}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>{version ?? ''}</Table.Td>
              <Table.Td>{targets.toLocaleString()}</Table.Td>
              <Table.Td>
                <Ago at={checkedAt} />
              </Table.Td>
              <Table.Td>
                <Group gap={4}>
                  {Object.entries(labels).map(([key, value]) => (
                    <Badge key={key} variant="default" tt="none">
                      {key}={value}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
