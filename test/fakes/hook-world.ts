import { verifyHmac } from '../../adapters/hmac-signature.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { deliverySchema, type Delivery } from '../../core/model/delivery.ts';
import type { Secrets } from '../../core/ports.ts';
import type { ReceiveDeps } from '../../core/receive.ts';
import { defaultId, hookSecret } from './github-delivery.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryStore } from './memory-store.ts';
import { RecordingBus } from './recorders.ts';

/** Tracks the repository of GitHub's published examples. */
export const config = parseStackConfig({
  repositories: [{ name: 'hello', url: 'https://github.com/Codertocat/Hello-World.git', branch: 'master' }],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
});
export const idKey = keys.delivery('github', defaultId);

/** Everything around `receive`, in memory; `record` reads the ledger, `rotate` changes the webhook's secret. */
export function world(bus: RecordingBus = new RecordingBus()) {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const asked: string[] = [];
  let values: Awaited<ReturnType<Secrets['get']>> = { current: hookSecret };
  const secrets: Secrets = {
    get: async (name) => {
      asked.push(name);
      return values;
    },
  };
  const deps: ReceiveDeps = {
    store,
    bus,
    secrets,
    clock,
    config,
    verify: verifyHmac,
    hookSecretPrefix: 'trueup/hooks',
  };
  const record = async (key = idKey): Promise<Delivery | undefined> => {
    const stored = await store.get(key);
    return stored === undefined ? undefined : deliverySchema.parse(JSON.parse(stored.text));
  };
  return { deps, store, bus, clock, asked, record, rotate: (next: typeof values) => (values = next) };
}
