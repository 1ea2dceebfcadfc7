import { Blocked } from '../core/errors.ts';
import type { Identity } from '../core/ports.ts';

const serviceAccountPrefix = 'system:serviceaccount:';

/**
 * The headers that make the API server judge a request by the rights of another. Throws Blocked for a name that a
 * header cannot carry: it would arrive as another name, or as two headers.
 */
export function impersonationHeaders(
  subject: string,
  { user, groups }: Identity,
): Record<string, string | string[]> {
  for (const name of [user, ...groups]) {
    if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name)) continue;
    const message = `cannot be asked as ${JSON.stringify(name)}: names to impersonate are of printable ASCII, with no space at either end; correct \`impersonate\` of the application`;
    throw new Blocked({ subject, message });
  }
  return { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': [...groups] }) };
}

/**
 * Whether a 403 says that we may not take on the identity at all. Kubernetes 1.35 and newer ask for constrained verbs
 * (`impersonate-on:user-info:get`) as well, and name the object instead of the identity.
 */
export function isImpersonationRefused(message: string): boolean {
  return /cannot impersonate(-on:\S+)? /.test(message);
}

/** What whom must be granted to whom. `words` are the server's. */
export function impersonationFault(subject: string, { user, groups }: Identity, words: string): Blocked {
  const account = user.startsWith(serviceAccountPrefix)
    ? user.slice(serviceAccountPrefix.length).split(':')
    : undefined;
  const rights = [
    account === undefined
      ? `users (resourceNames: ${user})`
      : `serviceaccounts (namespace ${account[0]}, resourceNames: ${account[1]})`,
    ...(groups.length > 0 ? [`groups (resourceNames: ${groups.join(', ')})`] : []),
  ];
  const message = `does not let trueup act as ${user}: grant trueup's user on the cluster the verb impersonate on ${rights.join(' and on ')} (${words})`;
  return new Blocked({ subject, message });
}
