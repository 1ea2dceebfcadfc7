import { signer } from '../../adapters/hmac-signature.ts';
import { parseStackConfig, type StackConfigInput } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { deliverySchema, type Delivery } from '../../core/model/delivery.ts';
import type { IdentityTokens, Secrets } from '../../core/ports.ts';
import type { ReceiveDeps } from '../../core/receive.ts';
import { defaultId, hookSecret } from './github-delivery.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryStore } from './memory-store.ts';
import { RecordingBus } from './recorders.ts';

const clusters: StackConfigInput['clusters'] = [{ name: 'prod', access: { type: 'eks', name: 'prod' } }];

/** Tracks the repository of GitHub's published examples. */
export const config = parseStackConfig({
  repositories: [{ name: 'hello', url: 'https://github.com/Codertocat/Hello-World.git', branch: 'master' }],
  clusters,
});
export const idKey = keys.delivery('github', defaultId);

/** A hook of every provider, and the repositories that their payloads in `test/core/receive/payloads` are about. */
export const everyHook = parseStackConfig({
  repositories: [
    { name: 'hello', url: 'https://github.com/Codertocat/Hello-World.git', branch: 'master', preview: {} },
    {
      name: 'diaspora',
      provider: 'gitlab',
      url: 'https://gitlab.example.com/mike/diaspora.git',
      preview: {},
    },
    { name: 'cloud', provider: 'bitbucket', url: 'https://bitbucket.org/acme/shop.git', preview: {} },
    {
      name: 'center',
      provider: 'bitbucket-data-center',
      url: 'https://bitbucket.example.com/scm/plat/shop.git',
      preview: {},
    },
    { name: 'tea', provider: 'gitea', url: 'https://gitea.example.com/acme/shop.git', preview: {} },
    { name: 'forge', provider: 'forgejo', url: 'https://forgejo.example.com/acme/shop.git', preview: {} },
    {
      name: 'azure',
      provider: 'azure-devops',
      url: 'https://dev.azure.com/acme/Platform/_git/shop',
      preview: {},
    },
    { name: 'other', provider: 'generic', url: 'https://git.example.com/acme/shop.git' },
    {
      name: 'commit',
      provider: 'codecommit',
      url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop',
      preview: {},
    },
  ],
  clusters,
  hooks: [
    { provider: 'oidc', oidc: { issuer: 'https://ci.example.com', audience: 'trueup', subject: 'acme/*' } },
    { provider: 'ghcr' },
    { provider: 'docker-hub', allowFrom: ['192.0.2.0/24', '2001:db8::/32'] },
    { provider: 'harbor' },
    { provider: 'quay', allowFrom: ['192.0.2.0/24'] },
    { provider: 'distribution' },
    { provider: 'nexus', registry: 'nexus.example.com:8443' },
    { provider: 'jfrog', registry: 'acme.jfrog.io', mode: 'signature' },
    { provider: 'jfrog', id: 'token', registry: 'docker-local.acme.jfrog.io', mode: 'token' },
    { provider: 'acr' },
    { provider: 'gcr', pubSub: { serviceAccount: 'push@acme.iam.gserviceaccount.com', audience: 'trueup' } },
    { provider: 'cdevents', allowFrom: ['192.0.2.0/24'] },
  ],
});

const google = 'https://accounts.google.com';

/** The issuers of `everyHook`: the token `good` is that of a job or account of acme, `foreign` of somebody else's. */
export const fakeTokens: IdentityTokens = {
  verify: async (token, { issuer }) => {
    const email = (name: string) => ({ email: `${name}.iam.gserviceaccount.com`, email_verified: true });
    if (token === 'good') {
      return { kind: 'verified', claims: issuer === google ? email('push@acme') : { sub: 'acme/shop' } };
    }
    if (token === 'foreign') {
      return { kind: 'verified', claims: issuer === google ? email('push@other') : { sub: 'other/shop' } };
    }
    if (token === 'unverified' && issuer === google) {
      return { kind: 'verified', claims: { ...email('push@acme'), email_verified: false } };
    }
    return { kind: 'refused', reason: 'the token is not good' };
  },
};

/** Everything around `receive`, in memory; `record` reads the ledger, `rotate` changes the webhook's secret. */
export function world(bus: RecordingBus = new RecordingBus(), stack = config) {
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
    config: stack,
    signer,
    tokens: fakeTokens,
    hookSecretPrefix: 'trueup/hooks',
  };
  const record = async (key = idKey): Promise<Delivery | undefined> => {
    const stored = await store.get(key);
    return stored === undefined ? undefined : deliverySchema.parse(JSON.parse(stored.text));
  };
  return { deps, store, bus, clock, asked, record, rotate: (next: typeof values) => (values = next) };
}
