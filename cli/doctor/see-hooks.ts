import { signer } from '../../adapters/hmac-signature.ts';
import { probeHook } from '../../adapters/hook-probe.ts';
import { prefixes } from '../../core/contract/keys.ts';
import { hookName, hooksOf, hookSecretName, type Hook } from '../../core/contract/hooks.ts';
import { hookProof } from '../../core/doctor/hook-proof.ts';
import type { HookFact } from '../../core/doctor/judge-hooks.ts';
import { isoTime, millisecondsOf } from '../../core/model/time.ts';
import { loadProvider } from '../../core/receive/providers.ts';
import type { Clock, Store } from '../../core/ports.ts';
import { look } from './look.ts';
import type { DoctorWorld } from './world.ts';

/** How long the ledger keeps a delivery. */
const ledgerDays = 30;
/** Begins the id of each request of ours, which is nobody's delivery. */
const ownDelivery = 'doctor-';
const body = '{}';

/** Calls every webhook twice, as a stranger and as its sender, and looks up who called last. */
export async function seeHooks(world: DoctorWorld): Promise<readonly HookFact[]> {
  const hooks = hooksOf(world.config);
  const last = await look(async () => lastDeliveries(world, hooks.map(hookName)));
  return Promise.all(
    hooks.map(async (hook): Promise<HookFact> => {
      const name = hookName(hook);
      const { provider, id } = hook;
      const url = `${world.hookUrl}hooks/${provider}${id === undefined ? '' : `/${id}`}`;
      const headers = { 'content-type': 'application/json' };
      const unsigned = await look(async () => probeHook({ url, headers, body }));
      const signed = await signedProbe(world, hook, url);
      return {
        name,
        url,
        unsigned,
        ...(signed !== undefined && { signed }),
        isGuarded: hook.allowFrom !== undefined,
        lastDelivery: 'seen' in last ? { seen: last.seen.get(name) } : last,
      };
    }),
  );
}

/** Undefined where it takes more than a secret to be believed, or the secret is not ours to read: that is told elsewhere. */
async function signedProbe(
  { secrets, output, ids }: DoctorWorld,
  hook: Hook,
  url: string,
): Promise<HookFact['signed']> {
  const name = hookSecretName(hook, output('hookSecretPrefix'));
  if (name === undefined) return undefined;
  const secret = await look(async () => secrets.get(name));
  if ('unseen' in secret) return undefined;
  const provider = await loadProvider(hook.provider);
  const proof = hookProof(provider.verification(hook), secret.seen.current, body, signer);
  if (proof === undefined) return undefined;
  // GitHub's own word for a request that only asks whether it arrives. To others, one without content is refused once it is believed.
  const ping = {
    'content-type': 'application/json',
    'x-github-event': 'ping',
    'x-github-delivery': `${ownDelivery}${ids.next()}`,
  };
  return look(async () =>
    probeHook({ url: `${url}${proof.pathEnd}`, headers: { ...ping, ...proof.headers }, body }),
  );
}

/** Seconds since each of these hooks took a delivery, in the days that the ledger keeps; nobody's is left out. */
async function lastDeliveries(
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> },
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const now = clock.now();
  for (let day = 0; day < ledgerDays && found.size < names.length; day += 1) {
    const date = isoTime(now - day * 86_400_000).slice(0, 10);
    const prefix = `${prefixes.deliveries}log/date=${date}/`;
    const listed = await Array.fromAsync(store.list(prefix));
    for (const key of listed.reverse()) {
      const [at = '', name = '', ...id] = key.slice(prefix.length).split('_');
      if (!names.includes(name) || found.has(name) || id.join('_').startsWith(ownDelivery)) continue;
      found.set(name, (now - millisecondsOf(at)) / 1000);
    }
  }
  return found;
}
