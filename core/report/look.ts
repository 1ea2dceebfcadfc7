import type { Look } from '../model/report.ts';

export const nothingToLookAt: Look = { scope: 'named', targets: {} };

const scopes = ['named', 'open', 'all'] as const;

/** Both of them: the wider scope, all the targets, each by its later time. */
export function bothLooks(one: Look, other: Look): Look {
  const scope = scopes[Math.max(scopes.indexOf(one.scope), scopes.indexOf(other.scope))] ?? 'all';
  const targets = { ...one.targets };
  for (const [key, at] of Object.entries(other.targets)) {
    if (at > (targets[key] ?? '')) targets[key] = at;
  }
  return { scope, targets };
}
