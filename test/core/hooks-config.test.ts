import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { parseStackConfig } from '../../core/contract/config.ts';

// What is refused at synth, with the words that a person reads.
const cases = z.array(z.object({ hooks: z.array(z.unknown()), says: z.string() })).parse(
  load(`
- { hooks: [{ provider: svn }], says: 'hooks\\.0\\.provider' }
- { hooks: [{ provider: quay }], says: 'hooks\\.0\\.allowFrom' }
- { hooks: [{ provider: docker-hub, allowFrom: [] }], says: 'hooks\\.0\\.allowFrom' }
- { hooks: [{ provider: harbor, allowFrom: [everywhere] }], says: 'must be a range of addresses, such as 192' }
- { hooks: [{ provider: nexus }], says: 'hooks\\.0\\.registry' }
- { hooks: [{ provider: jfrog, registry: acme.jfrog.io }], says: 'hooks\\.0\\.mode' }
- { hooks: [{ provider: oidc, oidc: { issuer: 'https://ci.example.com', audience: trueup } }], says: 'must name a subject or a claim: every customer' }
- { hooks: [{ provider: oidc, oidc: { issuer: 'http://ci.example.com', audience: trueup, subject: 'a' } }], says: 'must be https:// .http:// on loopback only' }
- { hooks: [{ provider: gcr }], says: 'hooks\\.0\\.pubSub' }
- { hooks: [{ provider: gcr, pubSub: { serviceAccount: push, audience: trueup } }], says: 'hooks\\.0\\.pubSub\\.serviceAccount' }
- { hooks: [{ provider: cdevents }], says: 'hooks\\.0\\.allowFrom' }
- { hooks: [{ provider: gitlab, mode: token }], says: 'mode' }
- { hooks: [{ provider: gitlab, id: Team A }], says: 'must be lower-case letters' }
- { hooks: [{ provider: gitlab }, { provider: gitlab }], says: 'name "gitlab" is used twice' }
- { hooks: [{ provider: gitlab, redeliver: { of: repos/a/b, id: 1, tokenSecret: t } }], says: 'redeliver' }
- { hooks: [{ provider: github, redeliver: { of: acme/shop, id: 1, tokenSecret: t } }], says: 'must be repos/OWNER/NAME, orgs/NAME or app' }
- { hooks: [{ provider: github, redeliver: { of: repos/a/b, id: 1 } }], says: 'takes a tokenSecret alone' }
- { hooks: [{ provider: github, redeliver: { of: app, id: 1, tokenSecret: t } }], says: 'takes a privateKeySecret and no tokenSecret' }
`),
);
for (const { hooks, says } of cases) {
  test(`${JSON.stringify(hooks)} is refused`, () => {
    const config = {
      repositories: [{ name: 'apps', url: 'https://github.com/acme/apps' }],
      clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
      hooks,
    };
    assert.throws(() => parseStackConfig(config), new RegExp(says));
  });
}
