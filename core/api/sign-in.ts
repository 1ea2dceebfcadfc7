import * as z from 'zod';
import type { DashboardConfig } from '../contract/dashboard.ts';
import type { IdentityTokens } from '../ports.ts';
import type { Problem } from './contract.ts';
import type { Person } from './person.ts';
import { ApiProblem, problemOf } from './problem.ts';

type Claims = Readonly<Record<string, unknown>>;

interface SignInDeps {
  readonly tokens: IdentityTokens;
  /** Undefined where the installation has none: nobody may sign in. */
  readonly dashboard: DashboardConfig | undefined;
}

/**
 * Who bears a token, `Bearer …` as the request has it: an ID token that the issuer made out to the dashboard, of somebody in
 * a group that has a role. Throws only what nobody foresaw; no answer repeats the token.
 */
export async function signIn(
  bearer: string | undefined,
  deps: SignInDeps,
): Promise<
  | { readonly kind: 'person'; readonly person: Person }
  | { readonly kind: 'problem'; readonly problem: Problem }
> {
  try {
    return { kind: 'person', person: await personOf(bearer, deps) };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    return { kind: 'problem', problem };
  }
}

async function personOf(bearer: string | undefined, { tokens, dashboard }: SignInDeps): Promise<Person> {
  const token = /^Bearer ([\w.-]{1,16384})$/.exec(bearer ?? '')?.[1];
  if (dashboard === undefined || token === undefined) throw notSignedIn('The request bears no token.');
  const { issuer, clientId } = dashboard.oidc;
  const verified = await tokens.verify(token, { issuer, audience: clientId });
  if (verified.kind === 'refused') throw notSignedIn(verified.reason);
  assertIdToken(verified.claims, clientId);
  const name = nameOf(verified.claims);
  const groups = groupsOf(verified.claims, dashboard.oidc.groupsClaim);
  const grants = dashboard.roles.filter(({ group }) => groups.includes(group));
  if (grants.length > 0) return { name, grants };
  throw new ApiProblem(
    403,
    `${name} is signed in, and no group of theirs has a role here.`,
    'Ask whoever runs the installation to put one of your groups into `dashboard.roles`.',
  );
}

/** An access token is for an API, and may have been given to any of them: it says nothing of who is at the browser. */
function assertIdToken({ token_use: use, azp, aud, events }: Claims, clientId: string): void {
  const isOther = use !== undefined && use !== 'id';
  const isForMore = Array.isArray(aud) && aud.length > 1 && azp === undefined;
  const isAskedByOther = azp !== undefined && azp !== clientId;
  // `events`: that somebody was signed out.
  if (isOther || isForMore || isAskedByOther || events !== undefined) {
    throw notSignedIn('The token is no ID token of this dashboard.');
  }
}

function notSignedIn(title: string): ApiProblem {
  return new ApiProblem(401, title, 'Load the page again, and sign in.');
}

const text = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}]{1,200}$/u)
  .optional()
  .catch(undefined);
const namesSchema = z.object({
  sub: text,
  email: text,
  email_verified: z.union([z.boolean(), z.string()]).optional().catch(undefined),
  preferred_username: text,
  'cognito:username': text,
});

/**
 * As records have it: what a person cannot give themselves. Other names are shown beside the subject, never alone: at many
 * issuers people choose them.
 */
function nameOf(claims: Claims): string {
  const names = namesSchema.parse(claims);
  const { sub, email, preferred_username: shown, 'cognito:username': user } = names;
  const isVerified = String(names.email_verified) === 'true';
  if (email !== undefined && isVerified) return email;
  if (user !== undefined) return user;
  if (sub === undefined) throw notSignedIn('The token names nobody.');
  const other = shown ?? email;
  return other === undefined ? sub : `${other} (${sub})`;
}

const groupsSchema = z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([]);

function groupsOf(claims: Claims, claim: string | undefined): readonly string[] {
  const found = claim === undefined ? (claims['cognito:groups'] ?? claims['groups']) : claims[claim];
  return groupsSchema.parse(found);
}
