import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { Retry } from '../../../core/errors.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { ProduceWorld, application, configMap, files } from './world.ts';

const source = '{chart: {oci: oci://registry.example/web, version: 1.0.0}}';
const fleet = { ...files('1'), 'applications/web.yaml': application('web', { source }) };

/** A registry that does not answer the first few times. */
function deps(world: ProduceWorld, silences: number): ProduceDeps {
  let left = silences;
  const charts: ProduceDeps['charts'] = {
    newest: async () => [],
    fetch: async () => {
      left -= 1;
      const message = 'registry.example did not answer (ECONNREFUSED); it is asked again';
      if (left >= 0) throw new Retry({ subject: 'charts oci://registry.example/web', message });
      const chart = [['Chart.yaml', utf8ToBytes('apiVersion: v2\nname: web\nversion: 1.0.0\n')]] as const;
      return { name: 'web', version: '1.0.0', digest: 'sha256:1', files: new Map(chart) };
    },
    unpack: async () => new Map(),
  };
  const base = world.deps();
  const output = `---\n# Source: web/templates/a.yaml\n${configMap('web', '1')}`;
  const helm = async () => ({ kind: 'rendered', output }) as const;
  return { ...base, charts, renderers: { ...base.renderers, helm } };
}

test('a registry that does not answer holds up its own applications alone, and the push comes again', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', fleet));
  const deaf = deps(world, 1);
  await assert.rejects(produce(event, 1, deaf), Retry);
  assert.deepEqual(world.takeRuns(), ['api on prod']);
  assert.match(await produce(event, 2, deaf), /changed \(web on prod/);
  assert.ok(world.takeRuns().includes('web on prod'));
});

test('one that never answers is a fault of its applications in the end', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', fleet));
  const deaf = deps(world, 100);
  for (const receive of [1, 2, 3]) await assert.rejects(produce(event, receive, deaf), Retry);
  const outcome = await produce(event, 4, deaf);
  assert.match(
    outcome,
    /1 failed \(web\); charts oci:\/\/registry\.example\/web: registry\.example did not answer/,
  );
});
