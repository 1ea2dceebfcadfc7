import type { Hook, OidcRules } from '../contract/hooks.ts';

/** Whose tokens a hook takes; undefined of one that takes none. */
export function tokenRules(hook: Hook): OidcRules | undefined {
  if (hook.provider === 'oidc') return hook.oidc;
  if (hook.provider !== 'gcr') return undefined;
  const { serviceAccount, audience } = hook.pubSub;
  // Everybody can have a token of Google's for any audience: whose it is makes the difference.
  const claims = { email: serviceAccount, email_verified: 'true' };
  return { issuer: 'https://accounts.google.com', audience, claims };
}

/** Why a token that is genuine is not one of those that the hook takes; undefined where it is. */
export function whyClaimsDiffer(
  claims: Readonly<Record<string, unknown>>,
  { subject, claims: wanted }: OidcRules,
): string | undefined {
  const rules = [...(subject === undefined ? [] : [['sub', subject] as const]), ...Object.entries(wanted)];
  const wrong = rules.find(([name, pattern]) => !fits(claims[name], pattern));
  // The rule is told and the claim is not: it may name what is nobody's business.
  return wrong === undefined ? undefined : `claim ${wrong[0]} of the token is not ${wrong[1]}`;
}

/** `*` stands for anything, slashes too; all else for itself. */
function fits(claim: unknown, pattern: string): boolean {
  if (typeof claim !== 'string' && typeof claim !== 'number' && typeof claim !== 'boolean') return false;
  const [first = '', ...rest] = pattern.split('*');
  const text = String(claim);
  if (rest.length === 0) return text === pattern;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  // Each part at its first place after the one before: no backtracking, whatever the claim.
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end;
}
