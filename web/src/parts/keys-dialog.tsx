import { Kbd, Modal, Table } from '@mantine/core';
import type { ReactNode } from 'react';

const keys = [
  ['/', 'search'],
  ['j, k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['g', 'the fleet'],
  ['m', 'the map of the applications'],
  ['t', 'the timeline'],
  ['i', 'the insights'],
  ['?', 'these keys'],
] as const;

/** What the keys do; loaded when it is asked for. */
export default function KeysDialog({ close }: { readonly close: () => void }): ReactNode {
  return (
    <Modal opened onClose={close} title="Keys">
      <Table>
        <Table.Tbody>
          {keys.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
