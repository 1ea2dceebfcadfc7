import type { Notifications, Route } from '../contract/notifications.ts';
import { severities, type News, type Severity } from '../model/notice.ts';
import { matchesWildcard } from '../model/wildcard.ts';

type Routed = Pick<News, 'event' | 'severity' | 'scope'>;

/** Whether any route leads this news to a channel. */
export function isRouted(news: Routed, channel: string, { routes }: Pick<Notifications, 'routes'>): boolean {
  return routes.some((route) => route.channels.includes(channel) && fits(news, route));
}

/** Whether anybody wants news of this kind at all. */
export function isWanted(event: News['event'], { routes }: Pick<Notifications, 'routes'>): boolean {
  return routes.some(({ events, severity }) => {
    if (events !== undefined) return events.includes(event);
    // Of an event that may be of any severity, the least.
    return rank(severity ?? 'warning') <= rank(event === 'deployed' || event === 'healed' ? 'info' : 'error');
  });
}

function fits({ event, severity, scope }: Routed, route: Route): boolean {
  if (route.events !== undefined && !route.events.includes(event)) return false;
  const least = route.severity ?? (route.events === undefined ? 'warning' : 'info');
  if (rank(severity) < rank(least)) return false;
  return (
    matches(route.applications, scope.applications) &&
    matches(route.clusters, scope.clusters) &&
    matches(route.projects, scope.projects)
  );
}

function matches(patterns: readonly string[] | undefined, names: readonly string[]): boolean {
  if (patterns === undefined) return true;
  return names.some((name) => patterns.some((pattern) => matchesWildcard(name, pattern)));
}

export function rank(severity: Severity): number {
  return severities.indexOf(severity);
}
