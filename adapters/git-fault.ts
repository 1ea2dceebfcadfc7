import type { RepositoryConfig } from '../core/contract/config.ts';
import { codeCommitOf } from '../core/contract/repository.ts';
import { Blocked, Retry } from '../core/errors.ts';

type Named = Pick<RepositoryConfig, 'name' | 'url' | 'tokenSecret' | 'githubApp' | 'ssh'>;

/** What git said on its standard error, as the error that tells the caller what to do. */
export function gitFault(repository: Named, stderr: string): Blocked | Retry {
  const subject = `repository ${repository.name}`;
  const { host } = new URL(repository.url);
  // A word of the URL that git quotes must not decide: Blocked loses the push.
  const said = stderr.replaceAll(/[a-z][a-z0-9+.-]*:\/\/[^\s'"]*/gi, '');
  for (const { pattern, message } of permanent) {
    if (!pattern.test(said)) continue;
    return new Blocked({ subject, message: message({ ...repository, host, key: keyOf(repository) }) });
  }
  if (/could not resolve host(?:name)?/i.test(said)) {
    const message = `host ${host} cannot be found; if it is spelled wrong, mend its url in the stack configuration`;
    return new Retry({ subject, message });
  }
  const words = lastWords(stderr);
  return new Retry({ subject, message: `${host} did not answer as it should (${words}); it is asked again` });
}

/** Whether the host has no such commit: never had, or had until a force-push. */
export function isMissingCommit(stderr: string): boolean {
  return /not our ref|couldn't find remote ref|no such remote ref/i.test(stderr) || isUnadvertised(stderr);
}

/** Whether the host gives only commits that a ref leads to, and names none of them by its SHA. */
export function isUnadvertised(stderr: string): boolean {
  return /unadvertised object/i.test(stderr);
}

/** Whether the host did not take what it was shown. */
export function isRefusal(stderr: string): boolean {
  return /authentication failed|could not read (?:username|password)|returned error: 40[13]/i.test(stderr);
}

/** Whether a branch is not where a push needs it to be. */
export function isMoved(stderr: string): boolean {
  return /stale info|fetch first|non-fast-forward|reference already exists|cannot lock ref|failed to update ref|incorrect old value/i.test(
    stderr,
  );
}

/** Whether what lies here does not fit together. A host that negotiates no push says `received 'packfile'`, which is no damage. */
export function isDamage(stderr: string): boolean {
  return /corrupt|(?<!received ')packfile|pack-[0-9a-f]{40}|index file|inflate|bad (?:object|tree|pack)|invalid object|missing (?:blob|tree|commit)|unresolved delta|did not send all|unable to read/i.test(
    stderr,
  );
}

/** With what the host was asked, as a person would name it. */
function keyOf({ url, tokenSecret, githubApp, ssh }: Named): string | undefined {
  if (codeCommitOf(url) !== undefined) return 'the IAM role of the function';
  if (githubApp !== undefined)
    return `installation ${githubApp.installationId} of GitHub App ${githubApp.appId}`;
  if (ssh !== undefined) return `the key in secret ${ssh.secret}`;
  return tokenSecret === undefined ? undefined : `the token in secret ${tokenSecret}`;
}

interface About extends Named {
  readonly host: string;
  readonly key: string | undefined;
}

const permanent: readonly { readonly pattern: RegExp; readonly message: (about: About) => string }[] = [
  {
    pattern: /host key verification failed|host key .* has changed|no matching host key type/i,
    message: ({ host, ssh }) =>
      `${host} shows a host key that is not in \`known_hosts\` of secret ${ssh?.secret ?? ''}; compare it with what the host publishes before you put it there`,
  },
  {
    // 404 is what GitHub answers where the token may not even know that the repository exists.
    pattern: /repository .*not found|returned error: 404|does not appear to be a git repository/i,
    message: ({ host, url, key }) =>
      `${host} knows no ${url}${key === undefined ? '' : `, or ${key} may not read it`}; ` +
      'mend its url in the stack configuration or the rights to read it',
  },
  {
    pattern:
      /authentication failed|could not read (?:username|password)|returned error: 40[13]|access denied|permission denied \(|load key/i,
    message: ({ host, key }) =>
      key === undefined
        ? `${host} wants a token; put one that may read the repository into a secret and name it as tokenSecret`
        : `${host} refused ${key}; give it one that is valid and may read the repository`,
  },
  {
    // The rulesets of GitHub, the branch policies of Azure DevOps (TF402455) and hooks have words of their own.
    pattern:
      /protected branch|repository rule violations|TF402455|pushes to this branch are not permitted|hook declined|not allowed to (?:push|upload)/i,
    message: ({ host, key }) =>
      `${host} takes no push to this branch${key === undefined ? '' : ` by ${key}`}; allow it, or have changes made by pull request`,
  },
  {
    pattern: /url base from redirection|returned error: 30\d/i,
    message: ({ host, url }) =>
      `${host} redirects ${url}, and a token is sent to the configured place only; mend its url in the stack configuration`,
  },
  {
    // Not every word of TLS: a connection that is reset is an SSL error too, and passes.
    pattern: /certificate verif|certificate problem|server certificate/i,
    message: ({ host }) => `the TLS certificate of ${host} is not trusted; the host must show one that is`,
  },
];

/** The line that says it, without the prefix; git may quote the URL, which by configuration holds no token. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  // ` ! [remote rejected] SHA -> BRANCH (why)`: the error below it says only that something was refused.
  const line =
    lines.findLast((text) => text.startsWith('! [')) ??
    lines.findLast((text) => /^(?:fatal|error|remote): /.test(text)) ??
    lines.findLast(Boolean) ??
    'no words';
  return line.replace(/^(?:fatal|error|remote): |^! /, '').slice(0, 200);
}
