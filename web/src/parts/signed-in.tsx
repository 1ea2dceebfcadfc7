import { Alert, Center, Loader } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { signIn } from '../sign-in.ts';

type State =
  { readonly kind: 'waiting' } | { readonly kind: 'in' } | { readonly kind: 'failed'; readonly why: string };

/** Shows nothing of the installation before it is known who asks. */
export function SignedIn({ children }: { readonly children: ReactNode }): ReactNode {
  const [state, setState] = useState<State>({ kind: 'waiting' });
  useEffect(() => {
    const settle = async (): Promise<State> => {
      try {
        await signIn();
        return { kind: 'in' };
      } catch (error) {
        return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
      }
    };
    void settle().then(setState);
  }, []);
  if (state.kind === 'in') return children;
  return (
    <Center h="60vh">
      {state.kind === 'waiting' ? (
        <Loader aria-label="signing in" />
      ) : (
        <Alert color="red" title="Cannot sign in" role="alert">
          {state.why}. <a href={location.pathname}>Begin again</a>
        </Alert>
      )}
    </Center>
  );
}
