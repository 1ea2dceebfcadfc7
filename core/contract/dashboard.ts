import * as z from 'zod';
import { dashboardLinkSchema } from './dashboard-links.ts';

const projectName = z.string().min(1).max(53);

const origin = z
  .string()
  .regex(/^https:\/\/[a-z0-9.-]+(?::\d+)?$/, 'must be https://HOST, with nothing behind it');

/** Of the browser's sign-in (authorization code with PKCE): the client has no secret. */
const oidcSchema = z.strictObject({
  issuer: z
    .string()
    .regex(/^https:\/\/[^\s;,"'?#@]+$/, 'must be an https URL')
    .describe(
      'exactly as its tokens name it, such as https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    ),
  clientId: z.string().min(1).max(200).describe('of a public client; ID tokens are made out to it'),
  scope: z.string().min(1).max(200).default('openid email profile'),
  origins: z
    .array(origin)
    .max(5)
    .default([])
    .describe(
      'other origins that the sign-in asks: where the token endpoint is not at the issuer, as the domain of a Cognito user pool',
    ),
  groupsClaim: z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .describe('claim with the groups of a person; default: `cognito:groups`, else `groups`'),
});

export const dashboardRoleSchema = z.enum(['viewer', 'operator', 'admin']);
export type DashboardRole = z.infer<typeof dashboardRoleSchema>;

const grantSchema = z.strictObject({
  group: z.string().min(1).max(200).describe('exactly as the claim has it'),
  role: dashboardRoleSchema,
  projects: z
    .array(z.union([z.literal('*'), projectName]))
    .min(1)
    .describe('projects that it holds in; `*`: all. Applications that name none are in `default`'),
});

/** The dashboard of an installation (issue 8): who may sign in, and what they may do. */
export const dashboardSchema = z.strictObject({
  oidc: oidcSchema,
  roles: z
    .array(grantSchema)
    .min(1)
    .max(200)
    .describe('each holds in its own projects alone; who is in none of these groups sees nothing'),
  links: z
    .array(dashboardLinkSchema)
    .max(20)
    .default([])
    .describe('to where logs, metrics and the like of a target or an object are to be seen'),
});
export type DashboardConfig = z.infer<typeof dashboardSchema>;

/** Origins besides its own that the page asks. */
export function signInOrigins({ oidc: { issuer, origins } }: DashboardConfig): readonly string[] {
  const [own = ''] = /^https:\/\/[^/]+/.exec(issuer) ?? [];
  return [...new Set([own, ...origins])];
}

/** `config.json` beside the page: what the browser has to know to sign somebody in. Nothing of it is secret. */
export function siteConfig({ oidc: { issuer, clientId, scope } }: DashboardConfig) {
  return { oidc: { issuer, clientId, scope } };
}
