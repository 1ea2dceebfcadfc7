import { useQueries } from '@tanstack/react-query';
import type { Fleet, FleetRow } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';

/** What the fleet can be narrowed by. */
export const filterNames = ['q', 'cluster', 'application', 'project', 'label', 'sync', 'health'] as const;
export type FleetFilter = Readonly<Partial<Record<(typeof filterNames)[number], string>>>;

/** Rows that one question asks for. */
export const pageSize = 250;

/** The rows of a range, from the pages that hold it: what is out of sight is not asked for. */
export function useFleetRows(
  filter: FleetFilter,
  range: { readonly from: number; readonly to: number },
): (index: number) => FleetRow | undefined {
  const first = Math.floor(range.from / pageSize);
  const count = Math.max(1, Math.floor(range.to / pageSize) - first + 1);
  const pages = Array.from({ length: count }, (_, index) => first + index);
  const answers = useQueries({
    queries: pages.map((page) => ({
      queryKey: ['fleet', filter, page * pageSize],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        ask<Fleet>('fleet', { ...filter, offset: page * pageSize, limit: pageSize }, signal),
    })),
  });
  return (index) => answers[Math.floor(index / pageSize) - first]?.data?.rows[index % pageSize];
}
