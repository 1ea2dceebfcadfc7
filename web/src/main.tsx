import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { App } from './app.tsx';
import { Refused } from './ask.ts';
import { useHashPath, useHashSearch } from './hash-place.ts';
import { Boundary } from './parts/boundary.tsx';
import { SignedIn } from './parts/signed-in.tsx';
import { theme } from './theme.ts';
import './mantine.css';
import './main.css';

const pollMs = 5_000;

/** What was refused stays refused; what did not answer may in a moment. */
function retry(failures: number, error: Error): boolean {
  return failures < 2 && !(error instanceof Refused && error.problem.status < 500);
}

const queries = new QueryClient({
  defaultOptions: {
    // The browser asks with the ETag that it has, so that a poll of what did not change costs a line. Not in the background.
    queries: { refetchInterval: pollMs, staleTime: pollMs / 2, retry },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Boundary>
        <QueryClientProvider client={queries}>
          <SignedIn>
            <Router hook={useHashPath} searchHook={useHashSearch}>
              <App />
            </Router>
          </SignedIn>
        </QueryClientProvider>
      </Boundary>
    </MantineProvider>
  </StrictMode>,
);
