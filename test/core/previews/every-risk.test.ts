import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { application } from '../produce/world.ts';
import { PullWorld, stackWith } from './pull-world.ts';

const golden = new URL('../../fixtures/preview/every-risk.md', import.meta.url).pathname;

const read = (side: 'base' | 'head') =>
  readFileSync(new URL(`every-risk/${side}.yaml`, import.meta.url), 'utf8');

const policies: StackConfigInput['policies'] = [
  {
    name: 'no-host-network',
    match: [{ kinds: ['Deployment'] }],
    expression: '!has(object.spec.template.spec.hostNetwork) || !object.spec.template.spec.hostNetwork',
    message: 'Pods stay off the network of their node',
    severity: 'error',
  },
];

/** The comment as people see it; `docs/images/preview.png` is a picture of it. */
test('a change with each kind of risk', async (context) => {
  const world = new PullWorld(stackWith({}, { policies }));
  const prod = await world.withNamespaces();
  const files = (text: string) => ({
    'applications/web.yaml': application('web'),
    'apps/web/shop.yaml': text,
  });
  await world.followed('a', files(read('base')));
  world.host.open('fleet', { branch: 'topic', sha: world.proposed('b', files(read('head'))) });
  await world.changed();
  await world.answered();
  const text = world.comment();
  context.assert.fileSnapshot(text, golden, { serializers: [String] });
  for (const secret of ['correct-horse', 'battery-staple']) assert.ok(!text.includes(secret));
  assert.match(world.status('b'.repeat(40)), /^failure: \d+ objects? would be refused$/);
  assert.deepEqual(prod.effects, []);
});
