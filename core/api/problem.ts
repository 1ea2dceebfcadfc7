import { Blocked, Retry, Stop, messageOf } from '../errors.ts';
import type { Problem } from './contract.ts';

/** An answer that is no answer; the API gives it as `application/problem+json`. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(status: number, title: string, detail: string) {
    super(title);
    this.name = 'ApiProblem';
    this.problem = { type: 'about:blank', title, status, detail };
  }
}

/** The answer to what nobody foresaw: what it was, the log says. */
export const unforeseen = {
  kind: 'problem',
  problem: {
    type: 'about:blank',
    title: 'Something failed here.',
    status: 500,
    detail: 'Try again; the log of the function says what it was.',
  },
} as const;

/** Undefined for what nobody foresaw, of which a stranger is told nothing. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof ApiProblem) return error.problem;
  const status = statusOf(error);
  if (status === undefined) return undefined;
  const detail = {
    409: 'See what it says, put that right, and ask again.',
    403: 'Let the role of the dashboard do that, or ask for it with the command line.',
    503: 'It is tried again in a moment.',
  }[status];
  return { type: 'about:blank', title: messageOf(error), status, detail };
}

function statusOf(error: unknown): 409 | 403 | 503 | undefined {
  if (error instanceof Stop) return 409;
  if (error instanceof Blocked) return 403;
  return error instanceof Retry ? 503 : undefined;
}
