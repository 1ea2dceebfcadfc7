import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { answerApi } from '../../../core/api.ts';
import { deliveryRowSchema } from '../../../core/api/contract-installation.ts';
import { everywhere, type Person } from '../../../core/api/person.ts';
import { keys } from '../../../core/contract/keys.ts';
import { receive } from '../../../core/receive.ts';
import { FleetBook } from '../../../core/view/fleet-book.ts';
import { delivery } from '../../fakes/github-delivery.ts';
import { config, world } from '../../fakes/hook-world.ts';

const operator = everywhere('olga@example.com', 'operator');
const viewer = everywhere('vic@example.com', 'viewer');
const ofOne: Person = { name: 'pat@example.com', grants: [{ role: 'admin', projects: ['pay'] }] };

function opened() {
  const { deps, bus, clock, record } = world();
  const api = {
    ...deps,
    ids: { next: () => 'id' },
    queues: { run: async () => undefined },
    book: new FleetBook(deps.store),
    version: '0',
    installed: true,
  };
  const ask = async (person: Person, path: string, method = 'GET') => {
    const answer = await answerApi({ method, path, query: {}, body: {}, person }, api);
    return answer.kind === 'answer'
      ? { status: 200, body: answer.body }
      : { status: answer.problem.status, body: answer.problem };
  };
  const rows = async (person: Person) =>
    z.array(deliveryRowSchema).parse((await ask(person, 'deliveries')).body);
  return { deps, bus, clock, record, ask, rows };
}

test('a delivery that failed is read again by an operator of all projects, and says who asked', async () => {
  const { deps, bus, record, ask, rows } = opened();
  const [repository] = config.repositories;
  const other = {
    ...config,
    repositories: [{ ...(repository ?? assert.fail()), url: 'https://github.com/acme/else' }],
  };
  await receive(delivery({ id: 'early' }), { ...deps, config: other });
  assert.deepEqual(
    (await rows(operator)).map(({ id, state, replay }) => [id, state, replay]),
    [['early', 'ignored', true]],
  );
  const { status, body } = await ask(operator, 'deliveries/github/early/replay', 'POST');
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(JSON.stringify(body), /github\/early: replayed at .* by olga@example\.com/);
  assert.equal(bus.events.length, 1);
  const kept = await record(keys.delivery('github', 'early'));
  assert.deepEqual([kept?.state, kept?.outcome?.endsWith('by olga@example.com')], ['published', true]);
  assert.deepEqual(
    (await rows(operator)).map(({ what }) => what),
    ['hello refs/heads/master 6113728'],
  );
});

test('who may not act on all projects may not; what is not kept is not offered, and says why', async () => {
  const { deps, bus, clock, ask, rows } = opened();
  await receive(delivery({ id: 'd1' }), deps);
  assert.deepEqual(
    (await rows(viewer)).map(({ replay }) => replay),
    [false],
  );
  assert.deepEqual(await rows(ofOne), []);
  for (const person of [viewer, ofOne])
    assert.equal((await ask(person, 'deliveries/github/d1/replay', 'POST')).status, 403, person.name);
  assert.equal((await ask(operator, 'deliveries/github/none/replay', 'POST')).status, 409);
  for (const path of ['deliveries/github/replay', 'deliveries/github/d1/x', 'deliveries/github/a%2Fb/replay'])
    assert.equal((await ask(operator, path, 'POST')).status, 404, path);
  assert.equal(bus.events.length, 1);
  clock.advance(4 * 86_400_000);
  assert.deepEqual(
    (await rows(operator)).map(({ replay }) => replay),
    [false],
  );
});
