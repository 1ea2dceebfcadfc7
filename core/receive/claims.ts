import type { Hook, OidcRules } from '../contract/hooks.ts';
import { matchesWildcard } from '../model/wildcard.ts';

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

function fits(claim: unknown, pattern: string): boolean {
  if (typeof claim !== 'string' && typeof claim !== 'number' && typeof claim !== 'boolean') return false;
  return matchesWildcard(String(claim), pattern);
}
