/** Path below a folder, both relative to the root of a tree; undefined when it leads out of the tree. */
export function joinPath(folder: string, entry: string): string | undefined {
  if (entry.startsWith('/')) return undefined;
  const parts: string[] = [];
  for (const part of `${folder}/${entry}`.split('/')) {
    if (part === '..' && parts.pop() === undefined) return undefined;
    if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}

/** From a folder to a path, both relative to one root, as a kustomization spells it. */
export function relativePath(folder: string, path: string): string {
  const from = folder.split('/').filter((part) => part !== '.');
  const to = path.split('/').filter((part) => part !== '.');
  let shared = 0;
  while (shared < from.length && shared < to.length && from[shared] === to[shared]) shared += 1;
  const up = from.slice(shared).map(() => '..');
  return [...up, ...to.slice(shared)].join('/') || '.';
}

/**
 * By its form, as kustomize judges it before it looks whether there is such a path; `key=` may stand before it, with
 * slashes in the key. However long the entry is, it is gone through a few times only.
 */
export function isRemote(entry: string): boolean {
  const form =
    /^(?:[^=]+=)?(?:[a-z][a-z0-9+.-]*:\/\/|https?:|git::|[^/][^/@]*@[^/]+:|(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:])/i;
  return (
    form.test(entry) || /[?&](?:ref|version|timeout|submodules)=/.test(entry) || /\.git(?:\/|$)/.test(entry)
  );
}

/** An address as it may be shown: a user name or token may stand in it. */
export function shownAddress(entry: string): string {
  return entry.replace(/\/\/[^/]*@/, '//');
}

/** Why an address is refused. */
export function remoteMessage(entry: string): string {
  return `${shownAddress(entry)} is remote, and rendering has no network; keep a copy in the repository, or declare its repository under sources.bases`;
}

/** A field's name as Go compares it: in any case, and the long s and the sign of Kelvin are letters like their look-alikes. */
export function foldedName(name: string): string {
  return name.toUpperCase().toLowerCase();
}
