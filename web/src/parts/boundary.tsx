import { Alert, Code, Container } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface State {
  readonly error: Error | undefined;
}

/** One view that fails must not leave an empty page. */
export class Boundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <Container p="xl">
        <Alert color="red" title="This page failed" role="alert">
          Load it again. If it fails again, tell us what you did, with this: <Code>{error.message}</Code>
        </Alert>
      </Container>
    );
  }
}
