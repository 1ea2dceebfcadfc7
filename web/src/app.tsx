import { ActionIcon, AppShell, Center, Group, Loader, Text, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import type { SessionView } from '../../core/api/contract.ts';
import { ask } from './ask.ts';
import { Keys } from './parts/keys.tsx';
import { Failed } from './parts/failed.tsx';
import { FleetView } from './views/fleet.tsx';

const places = [
  ['/', 'Fleet'],
  ['/timeline', 'Timeline'],
  ['/insights', 'Insights'],
] as const;
const TargetView = lazy(async () => import('./views/target.tsx'));
const TimelineView = lazy(async () => import('./views/timeline.tsx'));
const InsightsView = lazy(async () => import('./views/insights.tsx'));
const NotFound = lazy(async () => import('./views/not-found.tsx'));

/** The frame of every view: where one is, who one is, light or dark. */
export function App(): ReactNode {
  const session = useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => ask<SessionView>('session', {}, signal),
    refetchInterval: false,
  });
  return (
    <AppShell header={{ height: 48 }} padding={0}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="md" wrap="nowrap">
            <Text component={Link} href="/" fw={700} c="inherit" td="none">
              trueup
            </Text>
            <Places />
          </Group>
          <Group gap="xs" wrap="nowrap">
            {session.data !== undefined && (
              <Text size="sm" c="dimmed" className="cut" visibleFrom="sm" title={session.data.name}>
                {session.data.fleet} · {session.data.role}
              </Text>
            )}
            <SchemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="main" tabIndex={-1}>
        {session.error === null ? <Views /> : <Failed error={session.error} what="who you are" />}
      </AppShell.Main>
      <Keys />
    </AppShell>
  );
}

function Views(): ReactNode {
  const waiting = (
    <Center h="50vh">
      <Loader aria-label="loading" />
    </Center>
  );
  return (
    <Suspense fallback={waiting}>
      <Switch>
        <Route path="/" component={FleetView} />
        <Route path="/targets/:cluster/:application/:tab?" component={TargetView} />
        <Route path="/timeline" component={TimelineView} />
        <Route path="/insights" component={InsightsView} />
        <Route component={NotFound} />
      </Switch>
    </Suspense>
  );
}

function Places(): ReactNode {
  const [location] = useLocation();
  return (
    <Group component="nav" gap="sm" wrap="nowrap" aria-label="views">
      {places.map(([href, name]) => {
        const isHere = href === '/' ? location === '/' : location.startsWith(href);
        return (
          <Text
            key={href}
            component={Link}
            href={href}
            size="sm"
            c="inherit"
            fw={isHere ? 600 : 400}
            aria-current={isHere ? 'page' : undefined}
          >
            {name}
          </Text>
        );
      })}
    </Group>
  );
}

function SchemeSwitch(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
  const sign = { auto: '◐', light: '☀', dark: '☾' } as const;
  return (
    <ActionIcon
      variant="default"
      size="md"
      aria-label={`colours: ${colorScheme}; change to ${next[colorScheme]}`}
      onClick={() => {
        setColorScheme(next[colorScheme]);
      }}
    >
      <span aria-hidden="true">{sign[colorScheme]}</span>
    </ActionIcon>
  );
}
