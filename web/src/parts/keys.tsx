import { Kbd, Modal, Table } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';

const keys = [
  ['/', 'search'],
  ['j, k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['g', 'the fleet'],
  ['?', 'these keys'],
] as const;

/** Keys that work in every view; those of a list are with the list. */
export function Keys(): ReactNode {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [, go] = useLocation();
  useHotkeys([
    ['shift+?', open],
    [
      'g',
      () => {
        go('/');
      },
    ],
    ['/', () => document.querySelector<HTMLElement>('[data-search]')?.focus()],
  ]);
  return (
    <Modal opened={isOpen} onClose={close} title="Keys">
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
