/** Where a repository is, however its address is spelled. */
export interface Address {
  /** In lower case, without port. */
  readonly host: string;
  /** Begins with a slash; without `.git`. */
  readonly path: string;
}

const urlForm = /^(?:https?|ssh):\/\/(?:[^@/]*@)?(\[[0-9a-f:.]+\]|\w[\w.-]*)(?::\d{1,5})?\/(.+)$/i;
/** `git@host:owner/name.git`, as ssh users write it. */
const scpForm = /^\w[\w.-]*@(\w[\w.-]*):\/?(.+)$/;

/** Undefined for what is no https://, http:// or ssh:// address, or has a path that climbs. */
export function addressOf(url: string): Address | undefined {
  const [, host, path] = urlForm.exec(url) ?? scpForm.exec(url) ?? [];
  return host === undefined || path === undefined ? undefined : addressAt(host, path.split('/'));
}

/** The same for an address that may be relative to a repository's own, as in .gitmodules: `../other.git`. */
export function resolveAddress(url: string, own: Address): Address | undefined {
  if (!/^\.\.?\//.test(url)) return addressOf(url);
  const parts = own.path.split('/').slice(1);
  for (const part of url.split('/')) {
    // Git takes one part away for each; past the host there is nothing to take.
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '..' && part !== '.') parts.push(part);
  }
  return addressAt(own.host, parts);
}

export function isSameAddress(one: Address | undefined, other: Address): boolean {
  // No Git host tells two repositories apart by the case of their names.
  return one?.host === other.host && one.path.toLowerCase() === other.path.toLowerCase();
}

function addressAt(host: string, parts: readonly string[]): Address | undefined {
  const path = parts.join('/').replace(/\/+$/, '');
  const isPlain = path.split('/').every((part) => /^[\w~][\w.~+ -]*$/.test(part));
  return isPlain ? { host: host.toLowerCase(), path: `/${path.replace(/\.git$/, '')}` } : undefined;
}
