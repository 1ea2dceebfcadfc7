import { ApiProblem, problemOf } from './api/problem.ts';
import { answers } from './api/answers.ts';
import { act } from './api/act.ts';
import { isAction } from './api/actions.ts';
import { replayDelivery } from './api/replay-delivery.ts';
import type { ApiDeps } from './api/deps.ts';
import type { Person } from './api/person.ts';
import type { Problem } from './api/contract.ts';
import { routes, type RouteName } from './api/routes.ts';
import { digestOf } from './model/digest.ts';
import { jsonSchema } from './model/json.ts';

export interface ApiRequest {
  readonly method: string;
  /** Below `/api/v1/`, as it came: names are percent-encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Of a POST; undefined where it was no JSON. */
  readonly body?: unknown;
  readonly person: Person;
}

export type ApiAnswer =
  | { readonly kind: 'answer'; readonly body: unknown; readonly etag: string }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** One question of the dashboard, from start to answer (issue 8). Throws only what nobody foresaw. */
export async function answerApi(request: ApiRequest, deps: ApiDeps): Promise<ApiAnswer> {
  try {
    const body = await answerTo(request, deps);
    const etag = `"${digestOf(jsonSchema.parse(body)).slice('sha256:'.length, 40)}"`;
    return { kind: 'answer', body, etag };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return { kind: 'problem', problem };
  }
}

const unknownPlace = (): ApiProblem =>
  new ApiProblem(
    404,
    'There is no such question.',
    'See docs/reference/openapi.json for those that there are.',
  );

async function answerTo(request: ApiRequest, deps: ApiDeps): Promise<unknown> {
  const parts = request.path.split('/').map(decoded);
  const [place, cluster, application, what] = parts;
  // Names become parts of keys.
  if (parts.some((part) => /[/\\]|^\.*$/.test(part))) throw unknownPlace();
  const target = place === 'targets' && cluster && application ? { cluster, application } : undefined;
  if (request.method === 'POST') {
    const [, provider, id] = parts;
    if (place === 'deliveries' && provider && id && what === 'replay' && parts.length === 4)
      return replayDelivery({ provider, id }, request.person, deps);
    if (target === undefined || what === undefined || !isAction(what) || parts.length > 4)
      throw unknownPlace();
    return act(what, { target, body: request.body, person: request.person }, deps);
  }
  if (request.method !== 'GET') {
    throw new ApiProblem(405, `${request.method} is not for this.`, 'Ask with GET, act with POST.');
  }
  for (const [name, { path }] of Object.entries(routes)) {
    if (isAt(parts, path)) {
      const asked = {
        query: request.query,
        target: target ?? { cluster: '', application: '' },
        person: request.person,
      };
      return answers[name as RouteName](asked, deps);
    }
  }
  throw unknownPlace();
}

function isAt(parts: readonly string[], path: string): boolean {
  const wanted = path.split('/');
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => part.startsWith('{') || part === parts[index])
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw unknownPlace();
  }
}
