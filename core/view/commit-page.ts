import { awsConsole } from '../contract/aws-domain.ts';
import { codeCommitOf } from '../contract/repository.ts';

/** Hosts of SSH over port 443 have no pages. */
const pagesOf: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
};

/**
 * Where a commit is shown, by the address that its repository is cloned from. Undefined for hosts whose addresses are not
 * known: a link that leads nowhere is worse than none.
 */
export function commitPage(cloneUrl: string, sha: string): string | undefined {
  const own = codeCommitOf(cloneUrl);
  if (own !== undefined) {
    const place = `${own.region}.${awsConsole(own.region)}/codesuite/codecommit/repositories/${own.name}`;
    return `https://${place}/commit/${sha}?region=${own.region}`;
  }
  // The port of SSH is none of the pages.
  const [, from, path] =
    /^(?:https:\/\/|ssh:\/\/[^@/]+@)([^/]+)\/(.+?)(?:\.git)?\/?$/.exec(
      cloneUrl.replace(/^(ssh:\/\/[^/:]+):\d+\//, '$1/'),
    ) ?? [];
  if (from === undefined || path === undefined) return undefined;
  const host = pagesOf[from] ?? from;
  if (/(^|\.)(github|gitea|codeberg)\./.test(`.${host}`)) return `https://${host}/${path}/commit/${sha}`;
  if (/(^|\.)gitlab\./.test(`.${host}`)) return `https://${host}/${path}/-/commit/${sha}`;
  if (host === 'bitbucket.org') return `https://${host}/${path}/commits/${sha}`;
  return host === 'dev.azure.com' ? `https://${host}/${path}/commit/${sha}` : undefined;
}
