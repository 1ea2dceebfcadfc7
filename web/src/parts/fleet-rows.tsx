import { Text } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import type { FleetRow } from '../../../core/api/contract.ts';
import { Ago } from './ago.tsx';
import { useFleetRows, type FleetFilter } from './fleet-pages.ts';
import { State } from './state.tsx';

const rowHeight = 44;
const tallRowHeight = 64;
const phone = '(max-width: 48em)';

interface Props {
  readonly total: number;
  readonly filter: FleetFilter;
}

/** The fleet as a list; only the rows in sight are in the page, so that ten thousand stay fluid. */
export function FleetRows({ total, filter }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(-1);
  const [, go] = useLocation();
  const height = matchMedia(phone).matches ? tallRowHeight : rowHeight;
  const list = useVirtualizer({
    count: total,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 10,
  });
  const items = list.getVirtualItems();
  const rowAt = useFleetRows(filter, { from: items[0]?.index ?? 0, to: items.at(-1)?.index ?? 0 });
  const step = (by: number) => () => {
    const next = Math.min(Math.max(current + by, 0), total - 1);
    setCurrent(next);
    list.scrollToIndex(next);
  };
  const open = (): void => {
    const row = rowAt(current);
    if (row !== undefined) go(hrefOf(row));
  };
  useHotkeys([
    ['j', step(1)],
    ['k', step(-1)],
    ['Enter', open],
  ]);
  if (total === 0) return <Text p="md">Nothing fits. Take a filter away.</Text>;
  return (
    <>
      <div className="row fleet-row fleet-head" aria-hidden="true">
        {[
          'Application',
          'Cluster',
          'Against Git',
          'Health',
          'Drift',
          'What is amiss, else the commit',
          'Checked',
        ].map((name) => (
          <span key={name}>{name}</span>
        ))}
      </div>
      <div ref={box} role="list" aria-label="targets" tabIndex={0} className="fleet-list">
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {items.map(({ index, start }) => (
            <div
              key={index}
              role="listitem"
              aria-setsize={total}
              aria-posinset={index + 1}
              style={{ position: 'absolute', top: start, width: '100%' }}
            >
              <Row row={rowAt(index)} isCurrent={index === current} />
            </div>
          ))}
        </div>
      </div>
    </>
  );
}

export function hrefOf({ cluster, application }: Pick<FleetRow, 'cluster' | 'application'>): string {
  return `/targets/${encodeURIComponent(cluster)}/${encodeURIComponent(application)}`;
}

interface RowProps {
  readonly row: FleetRow | undefined;
  readonly isCurrent: boolean;
}

function Row({ row, isCurrent }: RowProps): ReactNode {
  if (row === undefined) return <div className="row fleet-row" aria-busy="true" />;
  return (
    <Link href={hrefOf(row)} className="row fleet-row" data-current={isCurrent}>
      <Text size="sm" fw={600} className="cut" title={row.application}>
        {row.application}
        <Text component="span" size="sm" c="dimmed" hiddenFrom="sm">
          {' '}
          {row.cluster}
        </Text>
      </Text>
      <Text size="sm" className="cut wide" title={row.cluster}>
        {row.cluster}
      </Text>
      <State of={row.sync} />
      <State of={row.health} />
      <Text size="sm" className="wide" c={row.drift > 0 ? 'var(--bad)' : 'dimmed'}>
        {row.drift > 0 ? row.drift : ''}
      </Text>
      <Text size="sm" className="cut why" c={row.message === '' ? 'dimmed' : 'inherit'} title={row.message}>
        {row.message === '' ? `${row.commit.sha.slice(0, 7)} ${row.commit.subject}` : row.message}
      </Text>
      <span className="wide">
        <Ago at={row.checkedAt} />
      </span>
    </Link>
  );
}
