import type { RepositoryConfig } from '../../core/contract/repository.ts';

/** Where the API of a host is, and what it calls the repository. */
export interface HostPlace {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** Host of the API, for texts. */
  readonly host: string;
  /** Of the repository's address, decoded, without `.git` and without the folder that the host's own address has. */
  readonly path: readonly string[];
}

/**
 * The place by the configured address of the API, or by the repository's own host: `ssh://` leads to `https://` there. Nothing
 * but the configuration says where a token goes. `api` is the path of the API, such as `/api/v4`.
 */
export function placeOf(
  { url, host, githubApp }: Pick<RepositoryConfig, 'url' | 'host' | 'githubApp'>,
  api: string,
  known: Readonly<Record<string, string>> = {},
): HostPlace {
  const { protocol, host: named, hostname, pathname } = new URL(url);
  const origin = protocol === 'ssh:' ? `https://${hostname}` : `${protocol}//${named}`;
  const configured = host?.apiUrl ?? githubApp?.apiUrl ?? known[hostname];
  const apiUrl = (configured ?? `${origin}${api}`).replace(/\/+$/, '');
  const { host: apiHost, pathname: apiPath } = new URL(apiUrl);
  // A host below a folder of a domain, as with https://example.com/gitlab/api/v4.
  const folder = apiPath.endsWith(api) ? apiPath.slice(0, apiPath.length - api.length) : '';
  const inFolder = folder !== '' && pathname.startsWith(`${folder}/`);
  const rest = inFolder ? pathname.slice(folder.length) : pathname;
  const path = rest
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => decodeURIComponent(part));
  return { apiUrl, host: apiHost, path };
}

/** Segments for the path of a request; whatever they hold, they stay one segment each. */
export function segments(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
