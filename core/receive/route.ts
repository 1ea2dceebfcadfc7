import { hasSecretPath, hooksOf, type Hook } from '../contract/hooks.ts';
import type { StackConfig } from '../contract/config.ts';

/** A hook that a path leads to; with the secret in it, where the path is what is secret. */
export interface Route {
  readonly hook: Hook;
  readonly pathSecret?: string;
}

/**
 * By the path alone, never by headers: Gitea and Forgejo send GitHub's beside their own.
 * `/hooks/<provider>`, `/hooks/<provider>/<id>`, and a last part more where that is the secret.
 */
export function routeOf(
  path: string,
  config: Pick<StackConfig, 'repositories' | 'hooks'>,
): Route | undefined {
  const [root, hooks, provider, ...rest] = path.replace(/\/$/, '').split('/');
  if (root !== '' || hooks !== 'hooks') return undefined;
  for (const hook of hooksOf(config)) {
    if (hook.provider !== provider) continue;
    const parts = hasSecretPath(hook) ? rest.slice(0, -1) : rest;
    const pathSecret = hasSecretPath(hook) ? rest.at(-1) : undefined;
    if (hasSecretPath(hook) && pathSecret === undefined) continue;
    if (parts.join('/') !== (hook.id ?? '')) continue;
    return pathSecret === undefined ? { hook } : { hook, pathSecret };
  }
  return undefined;
}

/** Routes as a person types them; the secret part of one is not told. */
export function describeRoutes(config: Pick<StackConfig, 'repositories' | 'hooks'>): string {
  return hooksOf(config).map(routePattern).join(', ');
}

function routePattern(hook: Hook): string {
  const id = hook.id === undefined ? '' : `/${hook.id}`;
  return `/hooks/${hook.provider}${id}${hasSecretPath(hook) ? '/<secret>' : ''}`;
}
