import type { Problem } from '../../core/api/contract.ts';
import { tokenHeader } from '../../core/contract/site-headers.ts';

/** What the server said instead of an answer; `detail` is for the person. */
export class Refused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.name = 'Refused';
    this.problem = problem;
  }
}

/** Gives the token of who is signed in; set once, by whatever signs in. */
let bearer: () => Promise<string | undefined> = () => Promise.resolve(undefined);
export function signWith(token: () => Promise<string | undefined>): void {
  bearer = token;
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** An answer of the API, whose form `core/api/contract.ts` says. Throws Refused, and TypeError where nothing answers. */
export async function ask<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return send<T>(`${path}${searchOf(query)}`, { method: 'GET', ...(signal !== undefined && { signal }) });
}

/** An action, once: it is never sent again by itself. */
export async function act(path: string, body: object): Promise<{ readonly done: string }> {
  const text = JSON.stringify(body);
  // CloudFront signs what it passes on, and takes the digest of a body from whoever sends it.
  const headers = { 'content-type': 'application/json', 'x-amz-content-sha256': await sha256(text) };
  return send(path, { method: 'POST', body: text, headers });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function searchOf(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`;
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const token = await bearer();
  const headers = new Headers(init.headers);
  headers.set('accept', 'application/json');
  if (token !== undefined) headers.set(tokenHeader, `Bearer ${token}`);
  // `no-cache`: the browser asks each time, with the ETag that it has.
  const response = await fetch(`api/v1/${path}`, { ...init, headers, cache: 'no-cache' });
  if (response.ok) return (await response.json()) as T;
  throw new Refused(await problemOf(response));
}

async function problemOf(response: Response): Promise<Problem> {
  const told: unknown = await response.json().catch(() => undefined);
  const isProblem = typeof told === 'object' && told !== null && 'title' in told && 'detail' in told;
  if (isProblem) return told as Problem;
  const title = `The server answered ${response.status}.`;
  return { type: 'about:blank', title, status: response.status, detail: 'Load the page again in a moment.' };
}

const soonMs = 5_000;

/** How often something is asked for again: what got no answer, soon, whatever its pace is. */
export function every(
  milliseconds: number | false,
): (query: { readonly state: { readonly status: string } }) => number | false {
  return ({ state }) => (state.status === 'error' ? soonMs : milliseconds);
}

/** A target in the path of a question; names of applications and clusters hold no slash. */
export function targetPath(cluster: string, application: string): string {
  return `targets/${encodeURIComponent(cluster)}/${encodeURIComponent(application)}`;
}
