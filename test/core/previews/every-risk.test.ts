import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import type { ClusterAnswer } from '../../../core/model/pull-preview.ts';
import { previewPull } from '../../../core/preview-pull.ts';
import { application } from '../produce/world.ts';
import { PullWorld, stackWith } from './pull-world.ts';

const golden = new URL('../../fixtures/preview/every-risk.md', import.meta.url).pathname;

const read = (side: 'base' | 'head') =>
  readFileSync(new URL(`every-risk/${side}.yaml`, import.meta.url), 'utf8');

const policies: StackConfigInput['policies'] = [
  {
    name: 'no-host-network',
    match: [{ kind: 'Deployment' }],
    expression: '!has(object.spec.template.spec.hostNetwork) || !object.spec.template.spec.hostNetwork',
    message: 'Pods stay off the network of their node',
    severity: 'error',
  },
];

/** In the words of an API server and of our plans. */
const answer: ClusterAnswer = {
  version: 1,
  head: 'b'.repeat(40),
  at: '2026-11-23T12:00:30.000Z',
  targets: [
    {
      application: 'web',
      refusal:
        'would prune 6 of 13 objects, more than 30 % and more than 5; nothing was changed. If that is meant, confirm it with `trueup sync --app web --cluster prod --confirm-prune 6`; if not, put the objects back into Git',
      counts: { create: 3, update: 3, recreate: 1, prune: 6, blocked: 2 },
      changes: [
        {
          action: 'recreate',
          ref: { group: 'apps', kind: 'Deployment', namespace: 'web', name: 'shop' },
          why: 'spec.selector cannot be changed on an object that exists',
          fields: [],
        },
        {
          action: 'blocked',
          ref: { group: '', kind: 'Service', namespace: 'web', name: 'shop' },
          why: 'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
          fields: [],
        },
        {
          action: 'blocked',
          ref: { group: 'policy', kind: 'PodDisruptionBudget', namespace: 'web', name: 'shop' },
          why: 'the cluster does not serve policy/v1beta1 PodDisruptionBudget',
          fields: [],
        },
        {
          action: 'update',
          ref: { group: '', kind: 'ConfigMap', namespace: 'web', name: 'shop' },
          why: 'its desired content changed',
          fields: [
            { path: 'data.currency', live: 'EUR', desired: 'CHF' },
            { path: 'data.rounding', live: 'up' },
          ],
        },
      ],
    },
  ],
};

/** The comment as people see it; `docs/images/preview.png` is a picture of it. */
test('a change with each kind of risk', async (context) => {
  const world = new PullWorld(stackWith({}, { policies }));
  const files = (text: string) => ({
    'applications/web.yaml': application('web'),
    'apps/web/shop.yaml': text,
  });
  await world.followed('a', files(read('base')));
  world.host.open('fleet', { branch: 'topic', sha: world.proposed('b', files(read('head'))) });
  await world.changed();
  const [repository, id, head] = ['fleet', '1', 'b'.repeat(40)];
  const key = keys.previewAnswer(repository, id, head, 'prod');
  await world.produce.store.put(key, JSON.stringify(answer), 'any');
  await previewPull({ kind: 'due', version: 1, preview: 'due', repository, id, head }, world.deps);
  const text = world.comment();
  context.assert.fileSnapshot(text, golden, { serializers: [String] });
  for (const secret of ['correct-horse', 'battery-staple']) assert.ok(!text.includes(secret));
  assert.match(world.status('b'.repeat(40)), /^failure: \d+ objects? would be refused$/);
});
