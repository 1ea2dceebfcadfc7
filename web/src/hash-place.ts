import { useSyncExternalStore } from 'react';

/**
 * Where one is, behind the `#` of the address with its query: one file serves every page, on any path, and an address that
 * is copied leads to the same filters again. (wouter's own hook puts the query before the `#`.)
 */
export function useHashPath(): [string, (to: string, options?: { readonly replace?: boolean }) => void] {
  return [useSyncExternalStore(subscribe, () => hashPlace().path), go];
}
useHashPath.hrefs = (href: string): string => `#${href}`;

/** The query of the place, without its question mark. */
export function useHashSearch(): string {
  return useSyncExternalStore(subscribe, () => hashPlace().search);
}

function hashPlace(): { readonly path: string; readonly search: string } {
  const [path = '', search = ''] = location.hash.replace(/^#?\/?/, '').split('?', 2);
  return { path: `/${path}`, search };
}

function subscribe(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  addEventListener('popstate', changed);
  return () => {
    removeEventListener('hashchange', changed);
    removeEventListener('popstate', changed);
  };
}

function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', `#${to}`);
  // The browser tells of this kind of change nobody.
  dispatchEvent(new Event('hashchange'));
}
