import type { Hook } from '../contract/hooks.ts';
import type { HookRequest } from './hook-request.ts';
import type { Reading } from './reading.ts';

/** How requests of a provider prove who sends them. */
export type Verification =
  /** Hex HMAC of the raw body in a header, behind a prefix. `minified`: or of the body as JSON without whitespace. */
  | {
      readonly kind: 'hmac';
      readonly algorithm: 'sha256' | 'sha1';
      readonly header: string;
      readonly prefix: string;
      readonly minified?: true;
    }
  /** The secret itself in a header. `bearer`: or behind the word Bearer. */
  | { readonly kind: 'token'; readonly header: string; readonly bearer?: true }
  /** The secret as the password of HTTP Basic authentication, under any user name. */
  | { readonly kind: 'basic' }
  /** A secret `whsec_…` signs as in Standard Webhooks, with the time; any other verifies as `otherwise` says. */
  | { readonly kind: 'standard'; readonly otherwise: Verification }
  /** The secret is the last part of the path. */
  | { readonly kind: 'path' }
  /** A token of an issuer in the Authorization header. */
  | { readonly kind: 'oidc' };

/** One Git host or registry: how its requests are verified, and how they are read. Pure, and never throws. */
export interface Provider {
  verification(hook: Hook): Verification;
  /** Headers that `read` looks at: these are kept for a replay, and no others. */
  readonly headers: readonly string[];
  /** Reads a request that was verified. */
  read(request: HookRequest, hook: Hook): Reading;
}
