import { ActionIcon, Group, Text, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import type { SessionView } from '../../core/api/contract.ts';
import { ask, every } from './ask.ts';
import { Keys } from './parts/keys.tsx';
import { Failed } from './parts/failed.tsx';
import { Stale } from './parts/stale.tsx';
import { Waiting } from './parts/waiting.tsx';
import { FleetView } from './views/fleet.tsx';

const places = [
  ['/', 'Fleet'],
  ['/map', 'Map'],
  ['/timeline', 'Timeline'],
  ['/insights', 'Insights'],
  ['/installation', 'Installation'],
] as const;
const TargetView = lazy(async () => import('./views/target.tsx'));
const ApplicationsView = lazy(async () => import('./views/applications.tsx'));
const InstallationView = lazy(async () => import('./views/installation.tsx'));
const TimelineView = lazy(async () => import('./views/timeline.tsx'));
const InsightsView = lazy(async () => import('./views/insights.tsx'));
const NotFound = lazy(async () => import('./views/not-found.tsx'));

/** The frame of every view: where one is, who one is, light or dark. */
export function App(): ReactNode {
  const session = useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => ask<SessionView>('session', {}, signal),
    refetchInterval: every(false),
  });
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          // The address behind `#` says which view this is.
          event.preventDefault();
          document.querySelector<HTMLElement>('#main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <Group component="header" className="head" px="md" justify="space-between" wrap="nowrap">
        <Group gap="md" wrap="nowrap" miw={0}>
          <Text component={Link} href="/" fw={700} c="inherit" td="none" visibleFrom="xs">
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
      <Stale />
      <main id="main" tabIndex={-1}>
        {session.error === null || session.data !== undefined ? (
          <Views />
        ) : (
          <Failed error={session.error} what="who you are" />
        )}
      </main>
      <Keys />
    </>
  );
}

function Views(): ReactNode {
  return (
    <Suspense fallback={<Waiting />}>
      <Switch>
        <Route path="/" component={FleetView} />
        <Route path="/targets/:cluster/:application/:tab?" component={TargetView} />
        <Route path="/map" component={ApplicationsView} />
        <Route path="/installation/:tab?" component={InstallationView} />
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
    <Group component="nav" gap="sm" wrap="nowrap" aria-label="views" className="places">
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
