import type { RepositoryConfig } from '../core/contract/config.ts';
import { Blocked, Retry } from '../core/errors.ts';

type Named = Pick<RepositoryConfig, 'name' | 'url' | 'tokenSecret'>;

/** What git said on its standard error, as the error that tells the caller what to do. */
export function gitFault(repository: Named, stderr: string): Blocked | Retry {
  const subject = `repository ${repository.name}`;
  const { host } = new URL(repository.url);
  // A word of the URL that git quotes must not decide: Blocked loses the push.
  const said = stderr.replaceAll(/[a-z][a-z0-9+.-]*:\/\/[^\s'"]*/gi, '');
  for (const { pattern, message } of permanent) {
    if (pattern.test(said)) return new Blocked({ subject, message: message({ ...repository, host }) });
  }
  if (/could not resolve host/i.test(said)) {
    const message = `host ${host} cannot be found; if it is spelled wrong, mend its url in the stack configuration`;
    return new Retry({ subject, message });
  }
  const words = lastWords(stderr);
  return new Retry({ subject, message: `${host} did not answer as it should (${words}); it is asked again` });
}

/** Whether the host has no such commit: never had, or had until a force-push. */
export function isMissingCommit(stderr: string): boolean {
  return /not our ref|unadvertised object|couldn't find remote ref|no such remote ref/i.test(stderr);
}

const permanent: readonly {
  readonly pattern: RegExp;
  readonly message: (about: Named & { readonly host: string }) => string;
}[] = [
  {
    // 404 is what GitHub answers where the token may not even know that the repository exists.
    pattern: /repository .*not found|returned error: 404/i,
    message: ({ host, url, tokenSecret }) =>
      `${host} knows no ${url}${tokenSecret === undefined ? '' : `, or the token in secret ${tokenSecret} may not read it`}; ` +
      'mend its url in the stack configuration or the rights of the token',
  },
  {
    pattern:
      /authentication failed|could not read (?:username|password)|returned error: 40[13]|access denied/i,
    message: ({ host, tokenSecret }) =>
      tokenSecret === undefined
        ? `${host} wants a token; put one that may read the repository into a secret and name it as tokenSecret`
        : `${host} refused the token in secret ${tokenSecret}; put a valid one there that may read the repository`,
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
  const line =
    lines.findLast((text) => /^(?:fatal|error|remote): /.test(text)) ?? lines.findLast(Boolean) ?? 'no words';
  return line.replace(/^(?:fatal|error|remote): /, '').slice(0, 200);
}
