import { awsConsole } from '../contract/aws-domain.ts';
import type { RepositoryConfig } from '../contract/config.ts';
import type { NoticeLink } from '../model/notice.ts';

/** Where an installation is, as links need it. */
export interface Place {
  readonly fleet: string;
  readonly region: string;
  readonly bucket: string;
}

/** Page of a commit at its Git host; undefined where the host is not known to have one. */
export function commitLink(
  { url, provider }: Pick<RepositoryConfig, 'url' | 'provider'>,
  sha: string,
): NoticeLink | undefined {
  const page = webPage(url);
  const path = commitPath(provider);
  if (page === undefined || path === undefined) return undefined;
  return { text: `Commit ${sha.slice(0, 7)}`, url: `${page}${path}${sha}` };
}

function commitPath(provider: RepositoryConfig['provider']): string | undefined {
  switch (provider) {
    case 'github':
    case 'gitea':
    case 'forgejo':
    case 'azure-devops':
      return '/commit/';
    case 'gitlab':
      return '/-/commit/';
    case 'bitbucket':
      return '/commits/';
    case 'bitbucket-data-center':
    case 'codecommit':
    case 'generic':
    case undefined:
      break;
  }
  return undefined;
}

/** A clone URL without what only Git needs; of SSH where the host has no port of its own for it. */
function webPage(url: string): string | undefined {
  const [, host, path] = /^(?:https:\/\/|ssh:\/\/[\w.-]+@)([\w.-]+)\/(.+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return host === undefined || path === undefined ? undefined : `https://${host}/${path}`;
}

/** An object of the bucket in the AWS console, for whoever may read it. */
export function recordLink({ region, bucket }: Place, key: string): NoticeLink {
  const query = new Map([
    ['region', region],
    ['prefix', key],
  ]);
  const text = [...query].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return {
    text: 'Record of the run',
    url: `https://${region}.${awsConsole(region)}/s3/object/${bucket}?${text}`,
  };
}

export function dashboardLink({ region, fleet }: Place): NoticeLink {
  const path = `cloudwatch/home?region=${region}#dashboards/dashboard/trueup-${fleet}`;
  return { text: 'Dashboard', url: `https://${region}.${awsConsole(region)}/${path}` };
}
