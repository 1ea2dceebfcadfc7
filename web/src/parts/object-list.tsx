import { Anchor, Table, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { ObjectRow } from '../../../core/api/contract.ts';
import { ObjectDialog } from './object-dialog.tsx';
import { State } from './state.tsx';

/** More than that no person reads, and a browser takes seconds for. */
const mostShown = 500;

interface Props {
  readonly objects: readonly ObjectRow[];
  readonly path: string;
  /** Whether the server can look at the cluster. */
  readonly isLive: boolean;
}

/** What Git wants here and what is here; what is amiss first. */
export function ObjectList({ objects, path, isLive }: Props): ReactNode {
  const [opened, setOpened] = useState<ObjectRow>();
  const [text, setText] = useState('');
  const words = text.toLowerCase().split(/\s+/);
  const shown = objects
    .filter(({ key }) => words.every((word) => key.toLowerCase().includes(word)))
    .toSorted((a, b) => rank(a) - rank(b));
  return (
    <>
      <TextInput
        data-search
        aria-label="search objects"
        placeholder="kind, namespace or name ( / )"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
        }}
        mb="xs"
        maw={360}
      />
      <Table.ScrollContainer minWidth={320}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Object</Table.Th>
              <Table.Th>Health</Table.Th>
              <Table.Th>Against Git</Table.Th>
              <Table.Th visibleFrom="sm">From</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.slice(0, mostShown).map((object) => (
              <Row
                key={object.key}
                object={object}
                open={() => {
                  setOpened(object);
                }}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {shown.length === 0 && (
        <Text size="sm">{objects.length === 0 ? 'It has no objects.' : 'Nothing fits.'}</Text>
      )}
      {shown.length > mostShown && (
        <Text size="sm" mt="xs">
          {(shown.length - mostShown).toLocaleString()} more fit: narrow it by words. What is amiss stands
          first.
        </Text>
      )}
      {opened !== undefined && (
        <ObjectDialog
          path={path}
          object={opened}
          isLive={isLive}
          close={() => {
            setOpened(undefined);
          }}
        />
      )}
    </>
  );
}

interface RowProps {
  readonly object: ObjectRow;
  readonly open: () => void;
}

function Row({ object, open }: RowProps): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component="button" size="sm" ta="left" onClick={open}>
          {object.kind} {object.name}
        </Anchor>
        {object.namespace !== undefined && (
          <Text size="xs" c="dimmed">
            {object.namespace}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <State of={object.health} />
        {object.healthMessage !== '' && (
          <Text size="xs" c="dimmed">
            {object.healthMessage}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Against object={object} />
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="xs" ff="monospace" c="dimmed">
          {object.origin ?? ''}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

function Against({ object: { drift, state, kept } }: { readonly object: ObjectRow }): ReactNode {
  if (drift !== undefined) return <State of="Drifted" />;
  if (kept !== undefined) return <Text size="sm">{kept}</Text>;
  const told = {
    applied: '',
    intent: 'being created',
    deleting: 'being deleted',
    desired: 'not applied yet',
  };
  return <Text size="sm">{told[state]}</Text>;
}

function rank({ drift, health, state, kept }: ObjectRow): number {
  if (drift !== undefined) return 0;
  if (health === 'Degraded' || health === 'Missing') return 1;
  return state !== 'applied' || kept !== undefined ? 2 : 3;
}
