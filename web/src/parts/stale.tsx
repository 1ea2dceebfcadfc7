import { Alert } from '@mantine/core';
import { useQueryClient, type Query } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore, type ReactNode } from 'react';
import { Refused } from '../ask.ts';
import { whenOf } from './when.ts';

/** What is shown and could not be asked again says so: a page that has stopped looks like one where all is well. */
export function Stale(): ReactNode {
  const cache = useQueryClient().getQueryCache();
  const oldest = useSyncExternalStore(
    useCallback((changed) => cache.subscribe(changed), [cache]),
    () => {
      const failing = cache.findAll({ type: 'active', predicate: isStale });
      return failing.length === 0 ? 0 : Math.min(...failing.map(({ state }) => state.dataUpdatedAt));
    },
  );
  if (oldest === 0) return null;
  const [failing] = cache.findAll({ type: 'active', predicate: isStale });
  const error = failing?.state.error ?? failing?.state.fetchFailureReason;
  const why = error instanceof Refused ? `${error.problem.title} ${error.problem.detail}` : '';
  return (
    <Alert
      color="red"
      role="alert"
      radius={0}
      title={`What you see is as it was at ${whenOf(new Date(oldest).toISOString())}`}
    >
      {why === '' ? 'The server does not answer. It is asked again every few seconds.' : why}
    </Alert>
  );
}

/** Something is shown, and the last question for it got no answer. */
function isStale({ state }: Query): boolean {
  const { data, status, fetchFailureCount } = state;
  return data !== undefined && (status === 'error' || fetchFailureCount > 1);
}
