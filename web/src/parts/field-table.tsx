import { Code, Stack, Table, Text } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import type { DriftEpisode } from '../../../core/api/contract.ts';
import { since } from './ago.tsx';
import { whenOf } from './when.ts';

/** One episode: which fields, what they should be and are, who it was, and how long it lasted. */
export function FieldTable({ episode }: { readonly episode: DriftEpisode }): ReactNode {
  const { kind, fields, loop } = episode;
  return (
    <Stack gap="xs">
      <Text size="sm">{whoOf(episode)}</Text>
      {loop !== undefined && (
        <Text size="sm" c="var(--bad)">
          Not healed any more: {loop}.
        </Text>
      )}
      {kind !== 'fields' && (
        <Text size="sm">
          {kind === 'missing' ? 'It is not there.' : 'It carries our label, and nobody made it.'}
        </Text>
      )}
      {fields.length > 0 && (
        <Table layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Should be</Table.Th>
              <Table.Th>{episode.closedAt === undefined ? 'Is' : 'Was'}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.map(({ path, desired, live, class: how }) => (
              <Fragment key={`${path} ${how}`}>
                <Table.Tr>
                  <Table.Th colSpan={2} scope="colgroup">
                    <Text size="xs" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                      {path}{' '}
                      <Text component="span" size="xs" c="dimmed">
                        {how}
                      </Text>
                    </Text>
                  </Table.Th>
                </Table.Tr>
                <Table.Tr>
                  <Table.Td>
                    <Value of={desired} />
                  </Table.Td>
                  <Table.Td>
                    <Value of={live} />
                  </Table.Td>
                </Table.Tr>
              </Fragment>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}

function Value({ of }: { readonly of: unknown }): ReactNode {
  if (of === undefined) return <Text size="xs" c="dimmed" children="absent" />;
  return <Code style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{JSON.stringify(of)}</Code>;
}

/** Who, when and how long, as far as it is known. */
export function whoOf({ who, managers, openedAt, happenedAt, closedAt, state }: DriftEpisode): string {
  const by = who === undefined ? managers.join(', ') || 'somebody' : `${who.user}${fromOf(who)}`;
  const began = whenOf(happenedAt ?? openedAt);
  const lasted =
    closedAt === undefined
      ? 'open'
      : `${state} after ${since((Date.parse(closedAt) - Date.parse(happenedAt ?? openedAt)) / 1000)}`;
  return `by ${by}, at ${began}; ${lasted}`;
}

function fromOf({ addresses, userAgent }: NonNullable<DriftEpisode['who']>): string {
  const from = addresses.length === 0 ? '' : ` from ${addresses.join(', ')}`;
  return `${from}${userAgent === undefined ? '' : ` with ${userAgent}`}`;
}
