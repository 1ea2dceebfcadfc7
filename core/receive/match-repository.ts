import type { RepositoryConfig } from '../contract/repository.ts';
import { trackedRef, tracks } from '../contract/tracked-ref.ts';
import type { PushHint, RepositoryHint } from './reading.ts';

/** Names of the configured repositories that a push is for, or why there are none. */
export type Tracked = { readonly names: readonly string[] } | { readonly reason: string };

/** The configured repositories that a host's name for one leads to, or why there are none. */
export function configuredAt(
  hint: RepositoryHint,
  configured: readonly RepositoryConfig[],
): { readonly repositories: readonly RepositoryConfig[] } | { readonly reason: string } {
  const repositories = matching(hint, configured);
  if (repositories.length > 0) return { repositories };
  const known = configured.map((candidate) => candidate.url).join(', ');
  return { reason: `repository ${hint.fullName} is not configured (configured: ${known})` };
}

export function trackedBy({ ref, repository }: PushHint, configured: readonly RepositoryConfig[]): Tracked {
  const found = configuredAt(repository, configured);
  if ('reason' in found) return found;
  const { repositories: candidates } = found;
  const tracked = candidates.filter((candidate) => tracks(candidate, ref));
  if (tracked.length > 0) return { names: tracked.map(({ name }) => name) };
  const refs = candidates.map(trackedRef).join(', ');
  return { reason: `ref ${ref} is not tracked (tracked: ${refs})` };
}

/**
 * By any URL that the payload gives; where none fits (the host is reached under another name), by the full name if
 * that leaves no choice. A wrong match does no harm: the repository that is fetched is the configured one.
 */
function matching(
  { fullName, urls }: RepositoryHint,
  configured: readonly RepositoryConfig[],
): readonly RepositoryConfig[] {
  const given = urls.map(identityOf);
  const byUrl = configured.filter((repository) => given.includes(identityOf(repository.url)));
  if (byUrl.length > 0) return byUrl;
  const suffix = `/${fullName.toLowerCase()}`;
  const byName = configured.filter((repository) => identityOf(repository.url).endsWith(suffix));
  return new Set(byName.map((repository) => identityOf(repository.url))).size === 1 ? byName : [];
}

const urlPattern = /^(?:([a-z+]+):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^/:]+)(?::(\d+)(?=\/))?[/:]\/*(.+)$/i;
const defaultPorts: Readonly<Record<string, string>> = { https: '443', http: '80', ssh: '22' };

/**
 * `host:port/path` of a clone URL, HTTPS or SSH, without user, default port, `.git` and slash at the end.
 * In lower case throughout: no Git host tells two repositories apart by the case of their names.
 */
function identityOf(text: string): string {
  const [, scheme = '', host, port, path] = urlPattern.exec(text.toLowerCase()) ?? [];
  if (host === undefined || path === undefined) return text.toLowerCase();
  const shown = port === undefined || defaultPorts[scheme] === port ? '' : `:${port}`;
  return `${host}${shown}/${path.replace(/\/+$/, '').replace(/\.git$/, '')}`;
}
