import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noticed } from './noticed.ts';

test('a store that lies about conditional writes', async () => {
  const invariant = await noticed(({ store }) => {
    const put = store.put.bind(store);
    store.put = async (key, text) => put(key, text, 'any');
  });
  assert.ok(invariant !== undefined);
});

test('a queue that forgets one cluster', async () => {
  const invariant = await noticed(({ queues: { sweeps } }) => {
    const send = sweeps.send.bind(sweeps);
    sweeps.send = (body, options) => {
      if (!body.includes('cluster-2')) send(body, options);
    };
  });
  assert.equal(invariant, 'every target is checked');
});

test('a cluster that answers a list as it was an hour ago', async () => {
  const tamper: Parameters<typeof noticed>[0] = ({ clusterOf, timeline }) => {
    const cluster = clusterOf('cluster-1');
    const list = cluster.list.bind(cluster);
    const kept = new Map<string, { readonly at: number; readonly answer: ReturnType<typeof list> }>();
    cluster.list = async (resource, ...rest) => {
      const known = kept.get(resource.kind);
      if (known !== undefined && timeline.now - known.at < 3_600_000) return known.answer;
      const answer = list(resource, ...rest);
      kept.set(resource.kind, { at: timeline.now, answer });
      return answer;
    };
  };
  // Among other faults nothing is promised for most of the time.
  assert.equal(await noticed(tamper, { faults: 0 }), 'every drift is recorded');
});

test('a queue and a poll that lose every push', async () => {
  const invariant = await noticed(({ queues: { pushes } }) => {
    const send = pushes.send.bind(pushes);
    let count = 0;
    pushes.send = (body, options) => {
      count += 1;
      if (count < 10) send(body, options);
    };
  });
  assert.equal(invariant, 'no push is lost');
});

test('an index of drift that cannot be deleted', async () => {
  const invariant = await noticed(({ store }) => {
    store.delete = async () => 'deleted';
  });
  assert.equal(invariant, 'every drift is closed');
});

test('a cluster that writes what nobody asked for', async () => {
  const invariant = await noticed((world) => {
    const cluster = world.clusterOf('cluster-3');
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (address, object, options) =>
      apply(
        address,
        { ...object, ...(object.kind === 'ConfigMap' && { data: { value: 'other' } }) },
        options,
      );
  });
  assert.equal(invariant, 'live equals desired');
});
