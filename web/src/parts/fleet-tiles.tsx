import { useVirtualizer } from '@tanstack/react-virtual';
import { useElementSize, useMergedRef } from '@mantine/hooks';
import { useRef, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useFleetRows, type FleetFilter } from './fleet-pages.ts';
import { hrefOf } from './fleet-rows.tsx';
import { signs, toneOf } from './state.tsx';

const side = 28;

interface Props {
  readonly total: number;
  readonly filter: FleetFilter;
}

/** The fleet as a wall: a tile each, coloured by what is worst about it, named by its title. */
export function FleetTiles({ total, filter }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const across = Math.max(1, Math.floor(width / side));
  const list = useVirtualizer({
    count: Math.ceil(total / across),
    getScrollElement: () => box.current,
    estimateSize: () => side,
    overscan: 4,
  });
  const lines = list.getVirtualItems();
  const from = (lines[0]?.index ?? 0) * across;
  const to = Math.min(total - 1, ((lines.at(-1)?.index ?? 0) + 1) * across - 1);
  const rowAt = useFleetRows(filter, { from, to: Math.max(from, to) });
  const boxRef = useMergedRef(box, sized);
  return (
    <div ref={boxRef} tabIndex={0} className="fleet-list fleet-wall">
      <div role="list" aria-label="targets" style={{ height: list.getTotalSize(), position: 'relative' }}>
        {lines.flatMap(({ index: line, start }) =>
          Array.from({ length: Math.min(across, total - line * across) }, (_, column) => {
            const row = rowAt(line * across + column);
            const place = { position: 'absolute', top: start, left: column * side } as const;
            const shape = { width: side - 3, height: side - 3 };
            if (row === undefined) return null;
            const worst = toneOf(row.sync) === 'good' ? row.health : row.sync;
            const name = `${row.cluster}/${row.application}: ${row.sync}, ${row.health}`;
            return (
              <div key={`${line}-${column}`} role="listitem" style={place}>
                <Link
                  href={hrefOf(row)}
                  title={name}
                  aria-label={name}
                  className="tile"
                  style={{ ...shape, background: `var(--${toneOf(worst)})` }}
                >
                  <span aria-hidden="true">{signs[toneOf(worst)]}</span>
                </Link>
              </div>
            );
          }),
        )}
      </div>
    </div>
  );
}
