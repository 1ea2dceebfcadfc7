import { Button, Group, Text } from '@mantine/core';
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';
import type { Topology } from '../../../core/api/contract.ts';
import { savePng, saveSvg } from './save-picture.ts';

const Picture = lazy(async () => import('./map-picture.tsx'));

interface Props {
  readonly topology: Topology | undefined;
  /** Of the files that are saved. */
  readonly name: string;
  /** What the picture is chosen by. */
  readonly children?: ReactNode;
  /** A node was chosen. */
  readonly open: (node: Topology['nodes'][number]) => void;
}

/** A map with what is needed around it: its size, saving it, what its signs mean. */
export function MapPane({ topology, name, children, open }: Props): ReactNode {
  const picture = useRef<SVGSVGElement>(null);
  const [isWhole, setIsWhole] = useState(false);
  const isCompared = topology?.nodes.some(({ change }) => change !== undefined) === true;
  return (
    <>
      <Group gap="sm" mb="xs">
        {children}
        <Button
          size="xs"
          variant="default"
          aria-pressed={isWhole}
          onClick={() => {
            setIsWhole(!isWhole);
          }}
        >
          {isWhole ? 'Full size' : 'Fit to the page'}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            saveSvg(picture.current, name);
          }}
        >
          SVG
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            void savePng(picture.current, name);
          }}
        >
          PNG
        </Button>
      </Group>
      {topology !== undefined && (
        <>
          <Text size="xs" c="dimmed" mb={4}>
            {topology.nodes.length} drawn{topology.left > 0 && `, ${topology.left} more are not`}. ● is
            healthy, ◆ broken, ■ on its way, ▲ not known; a thick red frame is drift
            {isCompared && '; + green is created, ~ orange is changed, − dashed is removed'}.
          </Text>
          <Suspense fallback={null}>
            <Picture topology={topology} picture={picture} name={name} isWhole={isWhole} open={open} />
          </Suspense>
        </>
      )}
    </>
  );
}
