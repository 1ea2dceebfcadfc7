import { signWith } from './ask.ts';

/** `config.json` beside the page: absent members mean a server on this machine, which gives a token in the address. */
interface SiteConfig {
  readonly oidc?: { readonly issuer: string; readonly clientId: string; readonly scope?: string };
}

const storedToken = 'trueup-token';

/** Returns when requests can be sent; leaves the page for the sign-in page of the issuer where that is needed. */
export async function signIn(): Promise<void> {
  const config = await siteConfig();
  if (config.oidc === undefined) {
    takeTokenOfAddress();
    return;
  }
  const { issuer, clientId, scope = 'openid email profile' } = config.oidc;
  const { UserManager, WebStorageStateStore } = await import('oidc-client-ts');
  const home = `${location.origin}${location.pathname}`;
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: home,
    scope,
    userStore: new WebStorageStateStore({ store: sessionStorage }),
  });
  if (new URLSearchParams(location.search).has('state')) {
    const { url_state: place } = await manager.signinRedirectCallback();
    history.replaceState(null, '', `${home}${place ?? ''}`);
  }
  const user = await manager.getUser();
  if (user === null || user.expired === true) {
    // The library holds the token against it: one of another sign-in is none.
    await manager.signinRedirect({ url_state: location.hash, nonce: crypto.randomUUID() });
    // The page is about to be left.
    return new Promise(() => undefined);
  }
  signWith(async () => (await manager.getUser())?.id_token);
}

async function siteConfig(): Promise<SiteConfig> {
  const response = await fetch('config.json', { cache: 'no-cache' });
  return response.ok ? ((await response.json()) as SiteConfig) : {};
}

/** `#token=…`: kept for this tab, and taken out of the address so that nobody copies it by accident. */
function takeTokenOfAddress(): void {
  const given = /^#token=([\w-]+)/.exec(location.hash)?.[1];
  if (given !== undefined) {
    sessionStorage.setItem(storedToken, given);
    history.replaceState(null, '', location.pathname);
  }
  const token = given ?? sessionStorage.getItem(storedToken) ?? undefined;
  signWith(() => Promise.resolve(token));
}
