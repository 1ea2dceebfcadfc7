import { Alert, Container } from '@mantine/core';
import type { ReactNode } from 'react';
import { Refused } from '../ask.ts';

/** Why something cannot be shown, and what to do. */
export function Failed({ error, what }: { readonly error: Error; readonly what: string }): ReactNode {
  const isRefused = error instanceof Refused;
  const title = isRefused ? error.problem.title : `Cannot ask ${what}`;
  const detail = isRefused
    ? error.problem.detail
    : 'The server does not answer. It is asked again every few seconds; see whether your network or `trueup ui` still runs.';
  return (
    <Container py="xl">
      <Alert color="red" title={title} role="alert">
        {detail}
      </Alert>
    </Container>
  );
}
