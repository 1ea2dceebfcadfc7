import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { readEpisodes } from '../../../core/episodes.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import { clusterCheckSchema } from '../../../core/model/check.ts';
import { clusterMemorySchema } from '../../../core/model/memory.ts';
import { sweepCluster } from '../../../core/sweep.ts';
import { scriptedWorld, type SweepWorld, configMap, deployment, webAddress } from './sweep-world.ts';

const minute = 60_000;
const scaled = { spec: { replicas: 9 } };
const subject = 'cluster east';
const shop = { cluster: 'east', application: 'shop' };
const shopAddress = { apiVersion: 'v1', plural: 'configmaps', namespace: 'web', name: 'shop' };

let world: SweepWorld;
beforeEach(async () => {
  world = scriptedWorld();
  await world.deploy('web', [deployment('front')]);
  await world.deploy('shop', [configMap('shop')]);
  await world.sweepAll();
  world.clock.advance(5 * minute);
});

function heals(): string[] {
  return world.queues.later.map(({ request: { target, reason } }) => `${target.application} ${reason}`);
}

async function syncs(): Promise<Readonly<Record<string, string>>> {
  const { targets } = await world.sweepAll();
  return Object.fromEntries(
    Object.entries(targets).map(([application, { sync, reason }]) => [
      application,
      `${sync} ${reason}`.trim(),
    ]),
  );
}

/** Requests that begin so are answered with a server error. */
function break500(start: string, message: string): void {
  world.cluster.before = (request) => {
    if (request.startsWith(start)) throw new Retry({ subject, message });
  };
}

describe('a kind whose list the server cannot answer', () => {
  const fault = 'answered 500: conversion webhook for /v1, Kind=ConfigMap failed';

  it('makes the targets that have it Unknown, and no others; what is remembered of it stays', async () => {
    world.cluster.edit(webAddress, scaled);
    break500('list configmaps', fault);
    const check = await world.sweepAll();
    assert.equal(check.unreachable, undefined);
    assert.equal(check.targets['web']?.sync, 'Drifted');
    assert.equal(check.targets['shop']?.sync, 'Unknown');
    assert.match(check.targets['shop']?.reason ?? '', /conversion webhook/);
    assert.deepEqual(heals(), ['web heal']);
    const memory = (await readDocument(world.store, keys.memory('east'), clusterMemorySchema))?.value;
    assert.deepEqual(Object.keys(memory?.kinds ?? {}), ['/ConfigMap', 'apps/Deployment']);
  });

  it('means that the cluster is lost when no kind can be listed, or discovery fails as well', async () => {
    break500('list ', 'answered 503');
    assert.match((await world.sweepAll()).unreachable ?? '', /answered 503/);
    let isFirst = true;
    world.cluster.before = (request) => {
      // Connecting asks for the kinds, too.
      if (request === 'list configmaps') isFirst = false;
      if (!isFirst) throw new Retry({ subject, message: 'no answer' });
    };
    assert.match((await world.sweepAll()).unreachable ?? '', /no answer/);
  });
});

describe('a record that cannot be read', () => {
  it('makes its own target Unknown, with the key, and no other', async () => {
    await world.store.put(keys.inventory(shop), '{"version":2}', 'any');
    world.cluster.edit(webAddress, scaled);
    const { web = '', shop: told = '' } = await syncs();
    assert.match(web, /^Drifted/);
    assert.match(told, /^Unknown .*inventory\/east\/shop\.json/);
    assert.deepEqual(heals(), ['web heal']);
  });

  it('also when it is the one of its open episodes', async () => {
    world.cluster.edit(shopAddress, { data: { a: '2' } });
    await world.sweepAll();
    await world.store.put(keys.openDrift(shop), '{"version":2}', 'any');
    world.cluster.edit(webAddress, scaled);
    world.metrics.data.length = 0;
    const { unreadable } = await sweepCluster({ cluster: 'east', requestedBy: 'test' }, world.deps);
    assert.deepEqual(unreadable, [keys.openDrift(shop)]);
    const drifted = world.metrics.data.filter(({ name }) => name === 'DriftedObjects');
    assert.deepEqual(
      drifted.map(({ value, cluster }) => [value, cluster]),
      [
        [1, 'east'],
        [1, undefined],
      ],
      'the figures of the others stand',
    );
    const text = (await world.store.get(keys.check('east')))?.text ?? '';
    assert.match(text, /"web":\{[^}]*"sync":"Drifted"/);
    assert.match(text, /"shop":\{[^}]*"sync":"Unknown"/);
  });
});

describe('a webhook that does not answer for one object', () => {
  it('leaves that object unknown: the others are judged, recorded and healed', async () => {
    await world.deploy('web', [deployment('front'), configMap('front'), configMap('bad')]);
    await world.sweepAll();
    world.cluster.edit(webAddress, scaled);
    world.cluster.edit({ ...shopAddress, name: 'bad' }, { data: { a: '2' } });
    break500(
      'dry-run v1/configmaps/web/bad',
      'answered 500: failed calling webhook "policy.example.com": refused',
    );
    const check = await world.sweep();
    assert.equal(check?.sync, 'Unknown');
    assert.match(check?.reason ?? '', /failed calling webhook "policy\.example\.com"/);
    assert.equal(check?.drifted, 1);
    const episodes = await readEpisodes(world.store, { cluster: 'east', application: 'web' });
    assert.deepEqual(Object.keys(episodes), ['apps/Deployment/web/front']);
    assert.deepEqual(heals(), ['web heal']);
  });
});

describe('an object whose dry run has no answer in time', () => {
  const hang = (requests: string[]) => (request: string) => {
    requests.push(request);
    if (!request.startsWith('dry-run v1/configmaps/web/bad')) return;
    world.clock.advance(15_000);
    throw new Retry({ subject, message: 'a request had no answer within 15 s', timedOut: true });
  };

  it('is unknown alone while the cluster answers, and others of its kind are not waited for', async () => {
    const bad = Array.from({ length: 40 }, (_, index) => configMap(`bad${index}`));
    await world.deploy('web', [deployment('front'), ...bad]);
    await world.sweepAll();
    world.cluster.edit(webAddress, scaled);
    for (const { metadata } of bad)
      world.cluster.edit({ ...shopAddress, name: metadata.name }, { data: { a: '2' } });
    world.cluster.edit(shopAddress, { data: { a: '2' } });
    const requests: string[] = [];
    world.cluster.before = hang(requests);
    const check = await world.sweepAll();
    assert.equal(check.unreachable, undefined);
    const { web, shop: other } = check.targets;
    assert.deepEqual([web?.sync, web?.drifted, other?.sync], ['Unknown', 1, 'Drifted']);
    assert.match(
      web?.reason ?? '',
      /^ConfigMap web\/bad\d+: .*no answer within 15 s.*webhook.*\(and 39 more\)$/,
    );
    assert.ok(requests.filter((request) => request.startsWith('dry-run v1/configmaps/web/bad')).length <= 16);
    assert.deepEqual(heals().toSorted(), ['shop heal', 'web heal']);
  });

  it('is that of a lost cluster where discovery does not answer either', async () => {
    await world.deploy('web', [deployment('front'), configMap('bad')]);
    await world.sweepAll();
    world.cluster.edit({ ...shopAddress, name: 'bad' }, { data: { a: '2' } });
    world.cluster.before = (request) => {
      if (!request.startsWith('dry-run')) return;
      world.cluster.unreachable = 'no answer at all';
      throw new Retry({ subject, message: 'a request had no answer within 15 s', timedOut: true });
    };
    assert.match((await world.sweepAll()).unreachable ?? '', /no answer at all/);
  });
});

describe('what renders asked that cannot be followed', () => {
  for (const fault of [Retry, Blocked]) {
    it(`leaves the check as it is (${fault.name}), is told, and done by the next sweep`, async () => {
      world.cluster.edit(webAddress, scaled);
      const put = world.store.put.bind(world.store);
      const facts = keys.facts('east');
      await world.store.delete(facts, 'any');
      world.store.put = async (key, ...rest) => {
        if (key === facts) throw new fault({ subject: 'S3', message: 'does not take it' });
        return put(key, ...rest);
      };
      const result = await sweepCluster({ cluster: 'east', requestedBy: 'test' }, world.deps);
      assert.equal(result.targets['web']?.sync, 'Drifted');
      assert.equal(result.unfollowed, 'S3: does not take it');
      const check = await readDocument(world.store, keys.check('east'), clusterCheckSchema);
      assert.equal(check?.value.targets['web']?.sync, 'Drifted');
      world.store.put = put;
      await world.sweepAll();
      assert.notEqual(await world.store.get(facts), undefined);
    });
  }
});

describe('targets that stay Unknown and are slow to say so', () => {
  it('keep no other from its turn', async () => {
    // More than are looked at at once; all of them were checked longer ago than `web`.
    const bad = Array.from({ length: 40 }, (_, index) => `bad${index}`);
    for (const name of bad) await world.deploy(name, [configMap(name)], { intervalSeconds: 600 });
    await world.sweepAll();
    world.clock.advance(5 * minute);
    await world.sweepAll();
    for (const name of bad) {
      world.cluster.edit({ ...shopAddress, name }, { metadata: { annotations: { x: 'y' } } });
    }
    world.cluster.edit(webAddress, scaled);
    world.cluster.before = (request) => {
      if (!request.startsWith('dry-run v1/configmaps/web/bad')) return;
      world.clock.advance(40_000);
      throw new Retry({ subject, message: 'no answer within 40 s' });
    };
    const seen: (string | undefined)[] = [];
    for (let round = 0; round < 4; round += 1) {
      world.clock.advance(5 * minute);
      seen.push((await world.sweep())?.sync);
    }
    assert.deepEqual([seen[0], seen.at(-1)], ['Synced', 'Drifted'], String(seen));
  });
});
