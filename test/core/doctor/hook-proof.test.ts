import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signer } from '../../../adapters/hmac-signature.ts';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { hooksOf, type Hook } from '../../../core/contract/hooks.ts';
import { hookProof } from '../../../core/doctor/hook-proof.ts';
import { decide } from '../../../core/receive/decide.ts';
import { loadProvider } from '../../../core/receive/providers.ts';
import { whyUnverified } from '../../../core/receive/verify.ts';

const secret = 'a-secret-that-is-long-enough-for-a-path';
const hooks: readonly Hook[] = [
  { provider: 'gitlab' },
  { provider: 'bitbucket' },
  { provider: 'bitbucket-data-center' },
  { provider: 'gitea' },
  { provider: 'forgejo' },
  { provider: 'azure-devops' },
  { provider: 'generic' },
  { provider: 'ghcr' },
  { provider: 'harbor' },
  { provider: 'distribution' },
  { provider: 'acr' },
  { provider: 'docker-hub', allowFrom: ['192.0.2.0/24'] },
  { provider: 'nexus', registry: 'nexus.example.com' },
  { provider: 'jfrog', registry: 'x.example.com', mode: 'signature' },
];
const config = parseStackConfig({
  repositories: [{ name: 'config', url: 'https://github.com/acme/config' }],
  clusters: [{ name: 'east', access: { type: 'eks', name: 'east' } }],
  hooks,
});

describe('hookProof', () => {
  for (const hook of hooksOf(config)) {
    it(`is believed by the hook of ${hook.provider}, and by no other secret`, async () => {
      const statuses = [];
      for (const kept of [secret, `${secret}-another`]) {
        const provider = await loadProvider(hook.provider);
        const proof = hookProof(provider.verification(hook), secret, '{}', signer);
        assert.ok(proof);
        const body = new TextEncoder().encode('{}');
        const request = {
          method: 'POST',
          path: `/hooks/${hook.provider}${proof.pathEnd}`,
          headers: { ...proof.headers, 'x-github-event': 'ping', 'x-github-delivery': 'doctor-1' },
          body,
          text: '{}',
          sourceIp: '192.0.2.7',
        };
        const deps = {
          signer,
          hookSecretPrefix: 'trueup/default/hooks',
          secrets: { get: async () => ({ current: kept }) },
          tokens: { verify: async () => ({ kind: 'refused' as const, reason: 'none' }) },
        };
        const decision = await decide(request, config, (verification, route) =>
          whyUnverified(verification, request, route, 0, deps),
        );
        statuses.push(decision.kind === 'taken' ? 202 : decision.status);
      }
      const [good, bad] = statuses;
      assert.ok(good === 202 || good === 400, `answered ${good}`);
      assert.ok(bad === 401 || bad === 404, `answered ${bad}`);
    });
  }
});
