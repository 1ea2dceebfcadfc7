import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { parseDocument } from '../../../core/documents.ts';
import { Stop } from '../../../core/errors.ts';
import { snapshotSchema } from '../../../core/model/snapshot.ts';
import { renderingsOf } from '../../../core/previews/renderings-of.ts';
import { isWithheld, worldOfPreview, worldOfStranger } from '../../../core/previews/withheld.ts';
import { application, files } from '../produce/world.ts';
import { PullWorld } from './pull-world.ts';

async function refusalOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof Stop && isWithheld(error.faults[0] ?? error), String(error));
    return error.subject;
  }
  return 'nothing';
}

test('a preview opens nothing that is sealed, and reads no deliveries and no inventories', async () => {
  const { deps, produce } = new PullWorld();
  const world = worldOfPreview(deps);
  const { wrapped } = await world.sealer.newDataKey('lookup');
  assert.equal(await refusalOf(async () => world.sealer.unwrap(wrapped, 'lookup')), 'helm.lookup');
  for (const key of ['deliveries/github/id/1.json', 'inventory/prod/web.json', 'desired/prod/web.json'])
    await produce.store.put(key, '{}', 'any');
  assert.equal(await world.store.get('deliveries/github/id/1.json'), undefined);
  assert.equal(await world.store.get('inventory/prod/web.json'), undefined);
  assert.equal((await world.store.get('desired/prod/web.json'))?.text, '{}');
});

test('a stranger reads no other repository, no chart, and nothing that was looked up', async () => {
  const { deps, produce } = new PullWorld();
  const [repository] = deps.config.repositories;
  assert.ok(repository);
  const other = { ...repository, name: 'private', url: 'https://git.example/private.git' };
  // A name that somebody chose to look like it is no key to another address.
  const disguised = { ...repository, url: 'https://git.example/other.git' };
  const world = worldOfStranger(repository, deps);
  for (const one of [other, disguised]) {
    assert.match(await refusalOf(async () => world.git.head(one)), /^repository /);
    assert.match(await refusalOf(async () => world.git.heads([repository, one])), /^repository /);
    assert.match(await refusalOf(async () => world.git.checkout(one, 'a'.repeat(40))), /^repository /);
  }
  const chart = { repository: 'https://charts.example', name: 'web', version: '1.0.0' };
  assert.equal(await refusalOf(async () => world.charts.fetch(chart)), 'chart web');
  assert.deepEqual(await world.charts.newest([chart]), [{ kind: 'none' }]);
  await produce.store.put(keys.lookups({ cluster: 'prod', application: 'web' }, 'fleet'), '{}', 'any');
  await produce.store.put(keys.facts('prod'), '{}', 'any');
  assert.equal(
    await world.store.get(keys.lookups({ cluster: 'prod', application: 'web' }, 'fleet')),
    undefined,
  );
  assert.equal((await world.store.get(keys.facts('prod')))?.text, '{}');
});

test('what was made of private sources is not shown to strangers, not even as what it was', async () => {
  const world = new PullWorld();
  await world.followed('a', { ...files('1'), 'applications/api.yaml': application('api') });
  const pointer = await world.produce.pointer('web');
  const { store } = world.produce;
  const key = keys.snapshot('web', pointer.snapshot);
  const stored = parseDocument(key, (await store.get(key))?.text ?? '', snapshotSchema);
  const charts = [{ from: 'https://charts.example', name: 'web', version: '1.0.0', digest: 'sha256:0' }];
  const made = { ...stored, provenance: { ...stored.provenance, charts } };
  await store.put(key, JSON.stringify(made), 'any');
  const pointers = new Map([['prod/web', pointer]]);
  const shown = async (isPublic: boolean) => {
    const about = { clusters: new Set(['prod']), broken: new Map(), isPublic };
    return (await renderingsOf(pointers, store, about)).get('prod/web');
  };
  assert.equal((await shown(false))?.kind, 'rendered');
  assert.deepEqual(await shown(true), { kind: 'failed', faults: [] });
});
