import * as z from 'zod';
import { clipped } from '../../core/model/clipped.ts';
import type { Notice } from '../../core/model/notice.ts';
import { plainText } from './words.ts';

/** Opsgenie's own limits. */
const mostMessage = 130;
const mostDescription = 15_000;
const mostNote = 25_000;
const mostSource = 100;

interface Call {
  /** Below the address of the API. */
  readonly path: string;
  readonly body: object;
}

const priorities = { error: 'P2', warning: 'P3', info: 'P5' } as const;

/** Calls of the Alert API: an alert is created, gets notes and is closed under one alias. A test is created and closed. */
export function opsgenieCalls(notice: Notice): readonly Call[] {
  switch (notice.phase) {
    case 'opened':
    case 'info':
      return [create(notice)];
    case 'changed':
      return [{ path: pathOf(notice, 'notes'), body: noteOf(notice) }];
    case 'resolved':
      return [close(notice)];
    case 'test':
      break;
  }
  return [create(notice), close(notice)];
}

function create(notice: Notice): Call {
  const { title, incident, severity, fleet, event } = notice;
  const body = {
    message: clipped(title, mostMessage),
    alias: incident,
    description: clipped(plainText(notice), mostDescription),
    tags: ['trueup', event],
    source: sourceOf(fleet),
    priority: priorities[severity],
  };
  return { path: '/v2/alerts', body };
}

function close(notice: Notice): Call {
  return { path: pathOf(notice, 'close'), body: noteOf(notice) };
}

function pathOf({ incident }: Notice, action: 'notes' | 'close'): string {
  return `/v2/alerts/${incident}/${action}?identifierType=alias`;
}

function noteOf(notice: Notice): { readonly note: string; readonly source: string } {
  return { note: clipped(plainText(notice), mostNote), source: sourceOf(notice.fleet) };
}

function sourceOf(fleet: string): string {
  return clipped(`trueup ${fleet}`, mostSource);
}

const answerSchema = z.object({ message: z.string().max(200) });

/** Why Opsgenie refused, in its own words. */
export function opsgenieReason(answer: unknown): string | undefined {
  const parsed = answerSchema.safeParse(answer);
  return parsed.success ? parsed.data.message : undefined;
}
