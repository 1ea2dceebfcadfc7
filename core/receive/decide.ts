import type { StackConfig } from '../contract/config.ts';
import type { HookRequest } from './hook-request.ts';
import type { Provider, Verification } from './provider.ts';
import { loadProvider } from './providers.ts';
import type { Reading } from './reading.ts';
import { describeRoutes, routeOf, type Route } from './route.ts';
import { understand, type Understood } from './understand.ts';

/** What a request is to us, before anything is done about it. */
export type Decision =
  | { readonly kind: 'refused'; readonly status: 400 | 401 | 403 | 404 | 405 | 413; readonly reason: string }
  | {
      readonly kind: 'taken';
      readonly route: Route;
      readonly provider: Provider;
      readonly reading: Exclude<Reading, { kind: 'invalid' }>;
      readonly understood: Exclude<Understood, { kind: 'invalid' }>;
    };

/** Why a request is not to be believed; undefined where it is. */
export type Prove = (verification: Verification, route: Route) => Promise<string | undefined>;

/** Route, method, size, address, proof, and only then the body: nothing is parsed of what nobody vouched for. */
export async function decide(request: HookRequest, config: StackConfig, prove: Prove): Promise<Decision> {
  const noRoute = (): Decision =>
    refused(404, `no such route; there are: ${describeRoutes(config) || 'none'}`);
  const route = routeOf(request.path, config);
  if (route === undefined) return noRoute();
  if (request.method !== 'POST') return refused(405, 'a webhook is a POST');
  const limit = config.hookBodyLimit;
  if (request.body.length > limit) return refused(413, `the body is larger than ${limit} bytes`);
  if (!(await isAddressAllowed(request, route)))
    return refused(403, 'this hook takes nothing from your address');

  const provider = await loadProvider(route.hook.provider);
  const verification = provider.verification(route.hook);
  const unproven = await prove(verification, route);
  if (unproven !== undefined) {
    // Whoever guesses at paths is not told that one of them begins well.
    return verification.kind === 'path' ? noRoute() : refused(401, unproven);
  }
  const reading = provider.read(request, route.hook);
  if (reading.kind === 'invalid') return refused(400, reading.reason);
  const understood = understand(reading, config.repositories);
  if (understood.kind === 'invalid') return refused(400, understood.reason);
  return { kind: 'taken', route, provider, reading, understood };
}

function refused(status: Extract<Decision, { kind: 'refused' }>['status'], reason: string): Decision {
  return { kind: 'refused', status, reason };
}

async function isAddressAllowed({ sourceIp }: HookRequest, { hook }: Route): Promise<boolean> {
  if (hook.allowFrom === undefined) return true;
  const { isAllowed } = await import('./addresses.ts');
  return isAllowed(sourceIp, hook.allowFrom);
}
