import * as z from 'zod';
import { nameSchema } from '../model/target.ts';
import { digestSchema, kindOf, registrySchema, whyNoArtifact } from './artifact.ts';
import { commitStatusSchema } from './commit-status.ts';
import { environmentsSchema } from './environments.ts';
import { repositoryProviders } from './hooks.ts';
import { imagesSchema } from './images.ts';
import { previewSchema } from './preview.ts';
import { promotionSchema } from './promotion.ts';
import { revertsSchema } from './reverts.ts';
import { isSemverRange } from './tracked-ref.ts';
import { verifySchema } from './verify.ts';

const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/;
/** A word that neither git nor ssh reads as an option, a pattern or something of a shell. */
const word = '[A-Za-z0-9_][A-Za-z0-9._-]*';
const httpForm = /^https?:\/\/(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?\/[^\s?#\p{Cc}]*$/u;
const sshForm = new RegExp(`^ssh://${word}@(${word}|\\[[0-9a-f:]+\\])(:\\d{1,5})?/[^\\s?#\\p{Cc}]+$`, 'u');
const codeCommitForm =
  /^https:\/\/git-codecommit\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/v1\/repos\/([\w.-]{1,100})$/;

/** A Git URL over TLS or SSH; plain HTTP only on this machine, since a token travels with it. Or of an artifact. */
const urlSchema = z.string().superRefine((url, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  const noArtifact = whyNoArtifact(url);
  if (noArtifact !== undefined) refuse(noArtifact);
  if (kindOf(url) !== 'git') return;
  if (/^[\w.-]+@[\w.-]+:(?!\/\/)/.test(url)) refuse('must be spelled ssh://user@host/path');
  else if (url.startsWith('ssh://')) {
    if (!sshForm.test(url)) refuse('must have the form ssh://user@host[:port]/path, without a password');
  } else if (!url.startsWith('https://') && !loopback.test(url)) {
    refuse('must be https:// or ssh:// (http:// on loopback only)');
  } else if (/\/\/[^/]*@/.test(url)) {
    refuse('must not hold a user name or token; name a tokenSecret instead');
  } else if (!httpForm.test(url)) refuse('must have the form https://host[:port]/path');
});

const refName = z
  .string()
  .min(1)
  .max(250)
  // Git's own rules for names, as far as they keep a name from being read as an option or a pattern.
  .refine((name) => !/\.\.|@\{|\/\/|[\s~^:?*[\\\p{Cc}]|^[-/]|[/.]$/u.test(name), 'is no name of a ref');

const secretName = z.string().min(1);

const githubAppSchema = z.strictObject({
  appId: z.union([z.string().regex(/^[\w.-]{1,64}$/), z.number().int().positive()]).describe('or client id'),
  installationId: z.number().int().positive(),
  privateKeySecret: secretName.describe('Secrets Manager name of the private key of the App, PEM'),
  apiUrl: z
    .string()
    .refine(
      (url) => httpForm.test(`${url}/`) && (url.startsWith('https://') || loopback.test(url)),
      'must be https://',
    )
    .exactOptional()
    .describe('default https://api.github.com; of GitHub Enterprise Server: https://HOST/api/v3'),
});

const lfsSchema = z.strictObject({
  hosts: z
    .array(z.string().regex(/^(\*\.)?[a-z0-9.-]+(:\d{1,5})?$/, 'must be a host, with a port if it has one'))
    .default([])
    .describe("hosts beside the repository's own that contents may come from; *.DOMAIN for all below it"),
  internal: z.boolean().exactOptional().describe('these hosts, its own too, may be in a private network'),
});

/** How the API of the Git host is asked: pull requests, comments, statuses (issue 7). */
const hostSchema = z.strictObject({
  apiUrl: z
    .string()
    .refine(
      (url) => httpForm.test(`${url}/`) && (url.startsWith('https://') || loopback.test(url)),
      'must be https://',
    )
    .exactOptional()
    .describe('default: that of the provider, on the host of the url'),
  tokenSecret: secretName
    .exactOptional()
    .describe(
      'a token that may write pull requests, comments and statuses; default: the GitHub App, or the token that reads',
    ),
});

const ofGit = [
  'provider',
  'branch',
  'commit',
  'tokenSecret',
  'githubApp',
  'ssh',
  'submodules',
  'lfs',
  'images',
  'host',
  'status',
  'preview',
  'environments',
  'reverts',
  'promotion',
] as const;
const ofRegistry = ['tag', 'semver', 'digest', 'registry', 'verify'] as const;

/** One repository that an installation follows or that its applications read from. */
export const repositorySchema = z
  .strictObject({
    name: nameSchema,
    provider: z
      .enum(repositoryProviders)
      .exactOptional()
      .describe('whose webhooks tell of pushes; default github'),
    url: urlSchema.describe(
      'clone URL, as the Git host spells it in its webhooks; or oci://HOST/NAME of an artifact, s3://BUCKET/KEY of an archive',
    ),
    branch: refName.exactOptional().describe('the tracked branch; default main'),
    tag: refName.exactOptional().describe('the tracked tag, by its exact name'),
    semver: z
      .string()
      .max(200)
      .refine(isSemverRange, 'is no range of versions, such as ^1.2 or >=1.0.0-0')
      .exactOptional()
      .describe(
        'the tag with the highest version in this range is tracked; `v` before a version is fine. Prereleases count only where the range names one',
      ),
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}$/, 'must be a full SHA of 40 hex digits')
      .exactOptional()
      .describe('exactly this commit; nothing moves it but a change of this configuration'),
    digest: digestSchema
      .exactOptional()
      .describe('exactly this artifact of the registry; nothing moves it but a change of this configuration'),
    registry: registrySchema.exactOptional().describe('how the registry of an oci:// url is reached'),
    applications: z
      .string()
      .default('applications')
      .describe('folder of Application files, read recursively; relative to the root of the repository'),
    tokenSecret: secretName
      .exactOptional()
      .describe('Secrets Manager name of an HTTPS token; absent for public'),
    githubApp: githubAppSchema
      .exactOptional()
      .describe('reads the repository as this installation of a GitHub App, instead of by a token'),
    ssh: z
      .strictObject({
        secret: secretName.describe(
          'JSON with `identity`, a private key without passphrase, and `known_hosts`',
        ),
      })
      .exactOptional()
      .describe('needed with an ssh:// url'),
    project: nameSchema.exactOptional().describe('its Applications are in this project, and in no other'),
    verify: verifySchema
      .exactOptional()
      .describe('whose signatures commits or artifacts must carry; absent: not looked at'),
    submodules: z
      .boolean()
      .exactOptional()
      .describe(
        'check out submodules: of repositories that are configured here, or beside this one on its host',
      ),
    images: imagesSchema
      .exactOptional()
      .describe('write newer images into the tracked branch or propose them; absent: nothing is written'),
    host: hostSchema
      .exactOptional()
      .describe('the API of the Git host, for pull requests, comments and statuses'),
    status: commitStatusSchema
      .exactOptional()
      .describe('tell the Git host what becomes of each commit; absent: nothing is told'),
    policies: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        'folder of ValidatingAdmissionPolicies, their bindings and parameters, by which previews and `trueup diff` judge; relative to the root of the repository',
      ),
    preview: previewSchema
      .exactOptional()
      .describe('comment on pull requests what they would change; absent: nothing is said'),
    environments: environmentsSchema
      .exactOptional()
      .describe(
        'run applications for pull requests before they are merged (`spec.previewEnvironments`); absent: none is',
      ),
    reverts: revertsSchema
      .exactOptional()
      .describe('open pull requests that take a change back, beside rollbacks; absent: none is'),
    promotion: promotionSchema
      .exactOptional()
      .describe('follow what another environment has proved; absent: what the host has is followed at once'),
    lfs: lfsSchema
      .exactOptional()
      .describe('fetch the contents of files that Git LFS keeps; absent: such a file is refused'),
  })
  .superRefine((repository, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const refs = (['branch', 'tag', 'semver', 'commit', 'digest'] as const).filter(
      (key) => key in repository,
    );
    if (refs.length > 1) refuse(refs[1] ?? '', `only one of ${refs.join(' and ')} can be tracked`);
    const kind = kindOf(repository.url);
    const foreign = {
      git: ['digest', 'registry'] as const,
      oci: ofGit,
      s3: [...ofGit, ...ofRegistry],
    }[kind];
    for (const key of foreign) {
      if (key in repository) refuse(key, `is not for ${kind === 'git' ? 'Git' : `${kind}://`} repositories`);
    }
    if (kind === 'oci' && refs.length === 0) refuse('url', 'needs the tag, semver or digest to follow');
    const { tag = 'x', verify } = repository;
    if (kind === 'oci' && !/^\w[\w.-]{0,127}$/.test(tag)) refuse('tag', 'is no tag of a registry');
    const isOfCommits =
      verify !== undefined && ('gpgKeys' in verify || 'sshKeys' in verify || 'gitsign' in verify);
    if (kind === 'oci' && isOfCommits)
      refuse('verify', 'artifacts are signed by cosign, not by the keys of commits');
    if (kind === 'git' && verify?.cosign !== undefined) refuse('verify', 'cosign is for oci:// repositories');
    const { url, tokenSecret, githubApp, ssh, lfs } = repository;
    const isSsh = url.startsWith('ssh://');
    if (isSsh && ssh === undefined) refuse('ssh', 'an ssh:// url needs the secret with key and known_hosts');
    if (!isSsh && ssh !== undefined) refuse('ssh', 'is for ssh:// urls; this one needs a token or nothing');
    if (isSsh && (tokenSecret ?? githubApp) !== undefined) refuse('url', 'a token is for https:// urls');
    if (tokenSecret !== undefined && githubApp !== undefined) {
      refuse('githubApp', 'cannot stand beside tokenSecret');
    }
    if (codeCommitOf(url) !== undefined && (tokenSecret ?? githubApp) !== undefined) {
      refuse('url', 'CodeCommit is read by the IAM role of the function; it takes no token');
    }
    const isBranch = refs.length === 0 || refs[0] === 'branch';
    if (repository.images !== undefined && !isBranch) refuse('images', 'needs a branch to write to');
    const { images, preview, environments } = repository;
    if (preview !== undefined && !isBranch) refuse('preview', 'needs a branch that pull requests are for');
    if (preview !== undefined && repository.provider === 'generic')
      refuse('preview', 'needs a provider that is known: a generic host has no API of pull requests');
    const opens = repository.host?.tokenSecret ?? githubApp ?? tokenSecret;
    if (repository.status !== undefined && (repository.provider === 'generic' || codeCommitOf(url)))
      refuse(
        'status',
        'needs a Git host with statuses of commits: neither generic ones nor CodeCommit have any',
      );
    else if (repository.status !== undefined && opens === undefined)
      refuse('status', 'needs a token for the API of the Git host: name one as host.tokenSecret');
    const { reverts } = repository;
    if (reverts !== undefined && (!isBranch || repository.provider === 'generic'))
      refuse('reverts', 'needs a branch that pull requests are for, and a provider that is known');
    if (environments !== undefined && (!isBranch || repository.provider === 'generic'))
      refuse('environments', 'needs a branch that pull requests are for, and a provider that is known');
    if (images !== undefined && verify?.mode === 'require' && images.signingKeySecret === undefined)
      refuse('images', 'needs a signingKeySecret: commits without a signature are not followed here');
    if (images?.pullRequest !== undefined && repository.provider === 'generic')
      refuse('images', 'proposes by pull request only where the provider is known');
    if (images?.tokenSecret !== undefined && (isSsh || codeCommitOf(url) !== undefined))
      refuse('images', 'takes a tokenSecret for https:// urls that are read by one');
    if (repository.promotion?.by === 'pointer') {
      if (!isBranch) refuse('promotion', 'needs a branch that its commits lie on');
      for (const key of ['images', 'preview', 'environments', 'reverts'] as const) {
        if (key in repository)
          refuse(key, 'is of the environment where commits arrive, not of one that they are promoted to');
      }
    }
    if (repository.promotion?.by === 'pullRequest' && (!isBranch || repository.provider === 'generic'))
      refuse('promotion', 'needs a branch that pull requests are for, and a provider that is known');
    if (lfs !== undefined && (isSsh || codeCommitOf(url) !== undefined)) {
      refuse('lfs', 'works with https:// urls of hosts that speak Git LFS');
    }
  })
  // Artifacts have no webhook of a Git host.
  .transform(({ provider, ...rest }) => ({
    ...rest,
    ...(kindOf(rest.url) === 'git' && { provider: provider ?? ('github' as const) }),
  }));
export type RepositoryConfig = z.infer<typeof repositorySchema>;

/** Region and name of a CodeCommit repository, which is read by the IAM role of the function. */
export function codeCommitOf(url: string): { readonly region: string; readonly name: string } | undefined {
  const [, region, name] = codeCommitForm.exec(url) ?? [];
  return region === undefined || name === undefined ? undefined : { region, name };
}

/** Name of the secret that opens the API of its Git host. */
export function hostSecretOf({ host, githubApp, tokenSecret }: RepositoryConfig): string | undefined {
  return host?.tokenSecret ?? githubApp?.privateKeySecret ?? tokenSecret;
}

/** Names of all secrets that reading and verifying a repository takes. */
export function secretsOf(repository: RepositoryConfig): readonly string[] {
  const { tokenSecret, githubApp, ssh, registry } = repository;
  const secrets = [tokenSecret, githubApp?.privateKeySecret, ssh?.secret, registry?.secret];
  const names = secrets.filter((name) => name !== undefined);
  return [...new Set([...names, ...verifyingSecretsOf(repository)])];
}

/** Of these those that verify signatures. */
export function verifyingSecretsOf({ verify }: RepositoryConfig): readonly string[] {
  const roots = [verify?.gitsign?.trustedRoot, verify?.cosign?.keyless?.trustedRoot];
  const keys = [
    ...(verify?.gpgKeys ?? []),
    ...(verify?.sshKeys ?? []),
    ...(verify?.cosign?.keys ?? []),
    ...roots.filter((root) => root !== undefined),
  ];
  return [...new Set(keys.flatMap((key) => (typeof key === 'string' ? [] : [key.secret])))];
}

/** The same for whoever writes images: with the token that may push in place of whatever reads. */
export function imageWriterOf({ githubApp, ...repository }: RepositoryConfig): RepositoryConfig {
  const tokenSecret = repository.images?.tokenSecret;
  if (tokenSecret !== undefined) return { ...repository, tokenSecret };
  return { ...repository, ...(githubApp !== undefined && { githubApp }) };
}

/** A repository where changes are taken back, with the token that may push in place of whatever reads. */
export function revertWriterOf(
  repository: RepositoryConfig,
): (RepositoryConfig & { readonly reverts: NonNullable<RepositoryConfig['reverts']> }) | undefined {
  const { reverts, githubApp, ...others } = repository;
  if (reverts === undefined) return undefined;
  const { tokenSecret } = reverts;
  const reads = githubApp === undefined ? others : { ...others, githubApp };
  return { ...(tokenSecret === undefined ? reads : { ...others, tokenSecret }), reverts };
}

/** An environment that gets commits by pull request, with the token that may push in place of whatever reads. */
export function promotionWriterOf(repository: RepositoryConfig):
  | (RepositoryConfig & {
      readonly promotion: Extract<RepositoryConfig['promotion'], { by: 'pullRequest' }>;
    })
  | undefined {
  const { promotion, githubApp, ...others } = repository;
  if (promotion?.by !== 'pullRequest') return undefined;
  const { tokenSecret } = promotion;
  const reads = githubApp === undefined ? others : { ...others, githubApp };
  return { ...(tokenSecret === undefined ? reads : { ...others, tokenSecret }), promotion };
}
