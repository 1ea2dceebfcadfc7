import { Anchor, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { TimelineEvent } from '../../../core/api/contract.ts';
import { Ago } from './ago.tsx';
import { exactly, whenOf } from './when.ts';

const tones = {
  good: 'var(--good)',
  bad: 'var(--bad)',
  running: 'var(--busy)',
  neutral: 'var(--quiet)',
} as const;

/** Told without colours too. */
const signs = { good: '✓', bad: '✕', running: '↻', neutral: '·' } as const;

interface Props {
  readonly events: readonly TimelineEvent[];
  /** Of one target: it need not be named on each line. */
  readonly isOfOne: boolean;
}

/** What happened, a line each, newest first. */
export function EventList({ events, isOfOne }: Props): ReactNode {
  if (events.length === 0) return <Text size="sm">Nothing happened.</Text>;
  return (
    <div role="list" aria-label="events">
      {events.map((event, index) => (
        // Two of one instant may say the same.
        <Line key={`${event.at} ${index}`} event={event} isOfOne={isOfOne} />
      ))}
    </div>
  );
}

function Line({ event, isOfOne }: { readonly event: TimelineEvent; readonly isOfOne: boolean }): ReactNode {
  const { at, kind, state, title, detail, link, cluster, application } = event;
  return (
    <div className="event" role="listitem">
      <Text size="sm" c="dimmed" component="time" dateTime={at} title={exactly(at)} visibleFrom="sm">
        {whenOf(at)}
      </Text>
      <Text size="sm" c={tones[state]}>
        <span aria-hidden="true">{signs[state]} </span>
        {kind}
      </Text>
      <Text size="sm" className="event-text" title={`${title} ${detail}`}>
        {link !== undefined && !isOfOne && (
          <Anchor component={Link} href={link} size="sm">
            {application === undefined ? 'see' : `${application} on ${cluster}`}
          </Anchor>
        )}{' '}
        {title}{' '}
        <Text component="span" size="sm" c="dimmed">
          {detail}
        </Text>
      </Text>
      <Text component="span" hiddenFrom="sm">
        <Ago at={at} />
      </Text>
      {isOfOne && (
        <Anchor
          component={Link}
          size="sm"
          href={`${linkOf(event)}/then?from=${encodeURIComponent(at)}`}
          aria-label={`then: what was here at ${whenOf(at)}`}
        >
          then
        </Anchor>
      )}
    </div>
  );
}

function linkOf({ cluster = '', application = '' }: TimelineEvent): string {
  return `/targets/${encodeURIComponent(cluster)}/${encodeURIComponent(application)}`;
}
