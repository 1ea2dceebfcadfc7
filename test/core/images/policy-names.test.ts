import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applicationSchema } from '../../../core/model/application.ts';

const parsed = (...images: readonly { image: string; name?: string }[]) =>
  applicationSchema.safeParse({
    apiVersion: 'trueup.dev/v1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: {
      source: { path: 'apps/shop' },
      clusters: { names: ['prod'] },
      namespace: 'shop',
      images: images.map((one) => ({ ...one, policy: { semver: { range: '1.x' } } })),
    },
  });

it('two followed images of one name are a fault', () => {
  const orders = { image: 'ghcr.io/orders/api' };
  const users = { image: 'ghcr.io/users/api' };
  assert.match(parsed(orders, users).error?.message ?? '', /give one a `name`/);
  assert.ok(parsed(orders, { ...users, name: 'users' }).success);
});
