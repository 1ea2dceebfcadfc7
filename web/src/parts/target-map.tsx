import { Select, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import type { TargetDetail, Topology } from '../../../core/api/contract.ts';
import { ask, targetPath } from '../ask.ts';
import { Failed } from './failed.tsx';
import { useMapWithPods } from './map-pods.ts';
import { MapPane } from './map-pane.tsx';
import { ObjectDialog } from './object-dialog.tsx';
import { Waiting } from './waiting.tsx';

interface Props {
  readonly detail: TargetDetail;
  readonly path: string;
}

const live = 'live';

/** What leads to what, drawn; with an older snapshot or with the cluster to compare with, what changes is marked. */
export function TargetMap({ detail, path }: Props): ReactNode {
  const [base, setBase] = useState<string | null>(null);
  const [head, setHead] = useState<string | null>(null);
  const [hasPods, setHasPods] = useState(false);
  const [opened, setOpened] = useState<string>();
  const [, go] = useLocation();
  const query = {
    ...(base === live ? { against: live } : { base: base ?? undefined }),
    ...(base !== live && { head: head ?? undefined }),
  };
  const { data, error } = useQuery({
    queryKey: ['map', path, query],
    queryFn: ({ signal }) => ask<Topology>(`${path}/map`, query, signal),
    placeholderData: (before) => before,
  });
  const drawn = useMapWithPods(data, { path, isOn: hasPods });
  const object = detail.objects.find(({ key }) => key === opened);
  const states = statesOf(detail);
  return (
    <>
      <MapPane
        topology={drawn}
        name={`${detail.row.application}-${detail.row.cluster}`}
        open={({ id, kind, cluster, application }) => {
          // Of a Pod what runs it is told, with its Pods.
          const owner = drawn?.edges.find(({ to, kind: tie }) => to === id && tie === 'owns')?.from;
          if (kind !== 'Application' || cluster === undefined) setOpened(owner ?? id);
          else go(`/${targetPath(cluster, application)}/map`);
        }}
      >
        <Select
          aria-label="compare from"
          placeholder="compare: from nothing"
          data={[{ value: live, label: 'from what the cluster has' }, ...states.map(named('from'))]}
          value={base}
          onChange={setBase}
          clearable
          w={260}
        />
        {base !== null && base !== live && (
          <Select
            aria-label="compare to"
            placeholder="to what Git says now"
            data={states.filter(({ value }) => value !== base).map(named('to'))}
            value={head}
            onChange={setHead}
            clearable
            w={260}
          />
        )}
        {detail.live && (
          <Switch
            label="Pods"
            checked={hasPods}
            onChange={(event) => {
              setHasPods(event.currentTarget.checked);
            }}
          />
        )}
      </MapPane>
      {drawn === undefined && error === null && <Waiting />}
      {error !== null && drawn === undefined && <Failed error={error} what="the map" />}
      {object !== undefined && (
        <ObjectDialog
          path={path}
          object={object}
          isLive={detail.live}
          close={() => {
            setOpened(undefined);
          }}
        />
      )}
    </>
  );
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

function named(word: string): (choice: Choice) => Choice {
  return ({ value, label }) => ({ value, label: `${word} ${label}` });
}

/** What it had, as far as its last runs tell; each snapshot once. */
function statesOf({ applied, snapshot, runs }: TargetDetail): readonly Choice[] {
  const now =
    applied === undefined || applied.snapshot === snapshot
      ? []
      : [[applied.snapshot, `what is applied: ${labelOf(applied)}`] as const];
  const older = runs
    .filter((run) => run.snapshot !== snapshot)
    .map((run) => [run.snapshot, labelOf(run)] as const);
  return [...new Map([...older, ...now])].map(([value, label]) => ({ value, label }));
}

function labelOf({
  commit,
}: {
  readonly commit: { readonly sha: string; readonly subject: string };
}): string {
  return `${commit.sha.slice(0, 7)} ${commit.subject}`;
}
