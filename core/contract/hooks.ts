import * as z from 'zod';
import { nameSchema } from '../model/target.ts';

/** Git hosts that a repository may be on. CodeCommit tells EventBridge; `generic` is any host behind a script. */
export const repositoryProviders = [
  'github',
  'gitlab',
  'bitbucket',
  'bitbucket-data-center',
  'gitea',
  'forgejo',
  'azure-devops',
  'codecommit',
  'generic',
] as const;

/** These sign nothing and send no secret: what is secret is the address that they are given. */
const pathProviders = ['docker-hub', 'quay', 'cdevents'] as const;

/** Providers without settings of their own. ECR tells EventBridge, and so has no hook. */
const plainProviders = [
  'gitlab',
  'bitbucket',
  'bitbucket-data-center',
  'gitea',
  'forgejo',
  'azure-devops',
  'generic',
  'ghcr',
  'harbor',
  'distribution',
  'acr',
] as const;

/** Every provider with a hook, by the name that its route has. */
export const hookProviders = [
  'github',
  ...plainProviders,
  ...pathProviders,
  'nexus',
  'jfrog',
  'gcr',
  'oidc',
] as const;

const cidrSchema = z.union([z.cidrv4(), z.cidrv6()], 'must be a range of addresses, such as 192.0.2.0/24');
const allowFromSchema = z.array(cidrSchema).min(1).describe('addresses that may call; others get 403');
const hostSchema = z
  .string()
  .regex(/^[a-z0-9.-]+(:\d{1,5})?$/, 'must be a host, with a port if it has one')
  .describe('host of the registry as image references name it, which the payload leaves out');

const common = {
  id: nameSchema
    .exactOptional()
    .describe('tells several hooks of one provider apart: the route is /hooks/<provider>/<id>'),
  allowFrom: allowFromSchema.exactOptional(),
};
const secret = z
  .string()
  .min(1)
  .exactOptional()
  .describe('Secrets Manager name of a secret that you keep; absent: the stack makes one');

const pattern = z.string().min(1).describe('the exact value; * stands for anything');
const oidcSchema = z
  .strictObject({
    issuer: z
      .url({ protocol: /^https?$/ })
      .refine((url) => url.startsWith('https://') || /^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url), {
        message: 'must be https:// (http:// on loopback only)',
      })
      .describe('whose tokens are taken, such as https://token.actions.githubusercontent.com'),
    audience: z.string().min(1).describe('what the CI job must ask its token for'),
    subject: pattern.exactOptional(),
    claims: z.record(z.string(), pattern).default({}).describe('claims that the token must have'),
  })
  .refine(({ subject, claims }) => subject !== undefined || Object.keys(claims).length > 0, {
    message: 'must name a subject or a claim: every customer of the CI system gets tokens of this issuer',
  });

/** What Pub/Sub signs its pushes with: a token of Google, for the service account of the subscription. */
const pubSubSchema = z.strictObject({
  serviceAccount: z
    .email()
    .describe('of the subscription: --push-auth-service-account. Anybody may get a token for himself'),
  audience: z.string().min(1).describe('of the subscription: --push-auth-token-audience'),
});

/** A webhook as GitHub knows it, to ask for the deliveries that failed. */
const webhookSchema = z
  .strictObject({
    of: z
      .string()
      .regex(/^(app|repos\/[\w.-]+\/[\w.-]+|orgs\/[\w.-]+)$/, 'must be repos/OWNER/NAME, orgs/NAME or app')
      .describe('repository or organization that has the webhook; app: it is that of a GitHub App'),
    id: z.number().int().positive().describe('number at the end of its settings page; of an App, the App ID'),
    tokenSecret: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Secrets Manager name of a token with the permission "Webhooks: read and write"'),
    privateKeySecret: z
      .string()
      .min(1)
      .exactOptional()
      .describe('of an App, in place of a token: Secrets Manager name of its private key, PEM'),
    apiUrl: z
      .url({ protocol: /^https?$/ })
      .default('https://api.github.com')
      .describe('of GitHub Enterprise Server: https://HOST/api/v3'),
  })
  .superRefine(({ of, tokenSecret, privateKeySecret }, context) => {
    const [needed, other] = of === 'app' ? [privateKeySecret, tokenSecret] : [tokenSecret, privateKeySecret];
    if (needed !== undefined && other === undefined) return;
    const message =
      of === 'app' ? 'app: takes a privateKeySecret and no tokenSecret' : 'takes a tokenSecret alone';
    context.addIssue({ code: 'custom', path: ['of'], message });
  });
export type Webhook = z.infer<typeof webhookSchema>;

/** A webhook that is taken: a route, how its requests are verified, and where they may come from. */
export const hookSchema = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z.literal('github'),
    ...common,
    secret,
    redeliver: webhookSchema
      .exactOptional()
      .describe('GitHub never sends a failed delivery again by itself: it is asked to'),
  }),
  z.strictObject({ provider: z.enum(plainProviders), ...common, secret }),
  z.strictObject({
    provider: z.enum(pathProviders),
    ...common,
    secret,
    allowFrom: allowFromSchema.describe('required, since nothing is signed: who knows the path may call'),
  }),
  z.strictObject({ provider: z.literal('nexus'), ...common, secret, registry: hostSchema }),
  z.strictObject({
    provider: z.literal('jfrog'),
    ...common,
    secret,
    registry: hostSchema,
    mode: z
      .enum(['token', 'signature'])
      .describe('signature where "use secret for payload signing" is ticked: both come in the same header'),
  }),
  z.strictObject({ provider: z.literal('gcr'), ...common, pubSub: pubSubSchema }),
  z.strictObject({ provider: z.literal('oidc'), ...common, oidc: oidcSchema }),
]);
export type Hook = z.infer<typeof hookSchema>;
export type HookProvider = Hook['provider'];
export type OidcRules = z.infer<typeof oidcSchema>;

/** Name of a hook in the ledger, in events and of its secret: `gitlab`, or `gitlab.team-a` where it has an id. */
export function hookName({ provider, id }: Pick<Hook, 'provider' | 'id'>): string {
  return id === undefined ? provider : `${provider}.${id}`;
}

/** A hook whose senders show a token of an issuer: there is no secret to keep. */
export function takesTokens(hook: Hook): hook is Extract<Hook, { provider: 'oidc' | 'gcr' }> {
  return hook.provider === 'oidc' || hook.provider === 'gcr';
}

/** Secrets Manager name of what asks GitHub to deliver again; undefined of a hook that does not. */
export function redeliverySecretOf(hook: Hook): string | undefined {
  if (hook.provider !== 'github') return undefined;
  return hook.redeliver?.tokenSecret ?? hook.redeliver?.privateKeySecret;
}

/** Name of a hook's secret in Secrets Manager; undefined of a hook that has none. */
export function hookSecretName(hook: Hook, prefix: string): string | undefined {
  if (takesTokens(hook)) return undefined;
  return hook.secret ?? `${prefix}/${hookName(hook)}`;
}

export function hasSecretPath({ provider }: Pick<Hook, 'provider'>): boolean {
  return pathProviders.some((known) => known === provider);
}

/** Every hook of an installation: those that are declared, and one for each Git host that repositories name. */
export function hooksOf(config: {
  readonly repositories: readonly { readonly provider?: string }[];
  readonly hooks: readonly Hook[];
}): readonly Hook[] {
  const implied = (['github', ...plainProviders] as const)
    .filter((provider) => config.repositories.some((repository) => repository.provider === provider))
    .filter((provider) => !config.hooks.some((hook) => hook.provider === provider))
    .map((provider): Hook => ({ provider }));
  return [...implied, ...config.hooks];
}
