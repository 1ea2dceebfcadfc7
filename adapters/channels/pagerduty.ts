import * as z from 'zod';
import { clipped } from '../../core/model/clipped.ts';
import type { Notice } from '../../core/model/notice.ts';

/** PagerDuty cuts a summary at 1024 characters by itself; what is beyond would be lost without a mark. */
const mostSummary = 1024;

interface Call {
  /** Below the address of the Events API. */
  readonly path: '/v2/enqueue' | '/v2/change/enqueue';
  readonly body: object;
}

/**
 * Calls of the Events API v2. An incident is triggered, told more of and resolved under one key; what happened and is over
 * is a change event, which wakes nobody. A test is triggered and resolved at once.
 */
export function pagerDutyCalls(notice: Notice, routingKey: string): readonly Call[] {
  switch (notice.phase) {
    case 'opened':
    case 'changed':
      return [trigger(notice, routingKey)];
    case 'resolved':
      return [resolve(notice, routingKey)];
    case 'test':
      return [trigger(notice, routingKey), resolve(notice, routingKey)];
    case 'info':
      break;
  }
  return [change(notice, routingKey)];
}

function trigger(notice: Notice, routing_key: string): Call {
  const { incident, title, severity, fleet, at, event } = notice;
  const payload = {
    summary: clipped(title, mostSummary),
    source: `trueup ${fleet}`,
    severity,
    timestamp: at,
    class: event,
    custom_details: detailsOf(notice),
  };
  const own = { routing_key, event_action: 'trigger', dedup_key: incident };
  return { path: '/v2/enqueue', body: { ...own, client: 'trueup', payload, links: linksOf(notice) } };
}

function resolve({ incident }: Notice, routing_key: string): Call {
  return { path: '/v2/enqueue', body: { routing_key, event_action: 'resolve', dedup_key: incident } };
}

function change(notice: Notice, routing_key: string): Call {
  const { title, fleet, at } = notice;
  const payload = {
    summary: clipped(title, mostSummary),
    source: `trueup ${fleet}`,
    timestamp: at,
    custom_details: detailsOf(notice),
  };
  return { path: '/v2/change/enqueue', body: { routing_key, payload, links: linksOf(notice) } };
}

function detailsOf({ text, items, more, todo, facts }: Notice): Readonly<Record<string, string>> {
  const listed = items.map((item) => (item.text === '' ? item.subject : `${item.subject}: ${item.text}`));
  return {
    ...(text !== '' && { what: text }),
    ...(listed.length > 0 && { all: [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('\n') }),
    ...(todo !== '' && { 'what to do': todo }),
    ...Object.fromEntries(facts.map(({ name, value }) => [name.toLowerCase(), value])),
  };
}

function linksOf({ links }: Notice): readonly { readonly href: string; readonly text: string }[] {
  return links.map(({ url, text }) => ({ href: url, text }));
}

const answerSchema = z.object({
  status: z.string().max(100),
  errors: z.array(z.string().max(200)).default([]),
});

/** Why PagerDuty refused, in its own words. */
export function pagerDutyReason(answer: unknown): string | undefined {
  const parsed = answerSchema.safeParse(answer);
  return parsed.success ? [parsed.data.status, ...parsed.data.errors.slice(0, 3)].join(', ') : undefined;
}
