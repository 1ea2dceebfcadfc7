import { Button, Group, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';
import type { TargetDetail, Topology } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { savePng, saveSvg } from './save-picture.ts';
import { Failed } from './failed.tsx';

const Picture = lazy(async () => import('./map-picture.tsx'));

interface Props {
  readonly detail: TargetDetail;
  readonly path: string;
}

/** What leads to what, drawn; with an older snapshot to compare with, what changes is marked. */
export function TargetMap({ detail, path }: Props): ReactNode {
  const [base, setBase] = useState<string | null>(null);
  const picture = useRef<SVGSVGElement>(null);
  const { data, error } = useQuery({
    queryKey: ['map', path, base],
    queryFn: ({ signal }) => ask<Topology>(`${path}/map`, { base: base ?? undefined }, signal),
  });
  const name = `${detail.row.application}-${detail.row.cluster}`;
  return (
    <>
      <Group gap="sm" mb="xs">
        <Select
          aria-label="compare with"
          placeholder="compare with an older state"
          data={olderStates(detail)}
          value={base}
          onChange={setBase}
          clearable
          w={320}
        />
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
        {data !== undefined && data.left > 0 && (
          <Text size="sm" c="dimmed">
            {data.left} objects more are not drawn
          </Text>
        )}
      </Group>
      {error !== null && <Failed error={error} what="the map" />}
      {data !== undefined && (
        <Suspense fallback={null}>
          <Picture topology={data} picture={picture} name={name} />
        </Suspense>
      )}
    </>
  );
}

/** Snapshots of its last runs but the one that is shown, each once. */
function olderStates({ applied, snapshot, runs }: TargetDetail): { value: string; label: string }[] {
  const pending =
    applied === undefined || applied.snapshot === snapshot
      ? []
      : [
          [
            applied.snapshot,
            `applied now: ${applied.commit.sha.slice(0, 7)} ${applied.commit.subject}`,
          ] as const,
        ];
  const older = runs.flatMap(({ snapshot: of, commit }) =>
    of === snapshot ? [] : [[of, `${commit.sha.slice(0, 7)} ${commit.subject}`] as const],
  );
  return [...new Map([...older, ...pending])].map(([value, label]) => ({ value, label }));
}
