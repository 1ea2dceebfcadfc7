import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { lazy, Suspense, type ReactNode } from 'react';
import { useLocation } from 'wouter';

const Dialog = lazy(async () => import('./keys-dialog.tsx'));

const places = { g: '/', m: '/map', t: '/timeline', i: '/insights' } as const;

/** Keys that work in every view; those of a list are with the list. */
export function Keys(): ReactNode {
  const [isOpen, { open, close }] = useDisclosure(false);
  const [, go] = useLocation();
  useHotkeys([
    ['shift+?', open],
    ...Object.entries(places).map(([key, place]): [string, () => void] => [
      key,
      () => {
        go(place);
      },
    ]),
    ['/', () => document.querySelector<HTMLElement>('[data-search]')?.focus()],
  ]);
  return (
    isOpen && (
      <Suspense fallback={null}>
        <Dialog close={close} />
      </Suspense>
    )
  );
}
