import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { annotations } from '../../../core/contract/kubernetes.ts';
import type { HookState } from '../../../core/model/inventory.ts';
import { refOf } from '../../../core/model/object.ts';
import type { Cluster } from '../../../core/ports.ts';
import { cleanUpHook, startHook } from '../../../core/reconcile/hook-object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { Workbench } from '../apply/workbench.ts';

let bench: Workbench;
before(async () => {
  bench = await Workbench.open('hook-race');
});
after(async () => bench.real.stop());

const hook = (name: string) =>
  bench.object(`
    apiVersion: v1
    kind: ConfigMap
    metadata: { name: ${name}, labels: { trueup.dev/application: web } }
    data: { a: "1" }
  `);

/** Starts a hook while somebody else creates an object of its name. */
async function race(name: string, data: Readonly<Record<string, string>>) {
  const object = hook(name);
  const address = bench.address(object);
  const state: HookState = {
    ref: refOf(object),
    apiVersion: 'v1',
    plural: 'configmaps',
    phase: 'pre',
    revision: 1,
    state: 'intent',
    at: new Date().toISOString(),
    message: '',
  };
  const path = bench.path(object);
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
  let isDone = false;
  const apply: Cluster['apply'] = async (...asked) => {
    if (!isDone) await bench.real.admin.create(path.slice(0, path.lastIndexOf('/')), theirs);
    isDone = true;
    return bench.cluster.apply(...asked);
  };
  const cluster = new Proxy(bench.cluster, {
    get: (real, member) => {
      const found: unknown = member === 'apply' ? apply : Reflect.get(real, member, real);
      if (typeof found !== 'function') return found;
      return (...args: readonly unknown[]) => Reflect.apply(found, real, args) as unknown;
    },
  });
  const effects = { cluster, clock: bench.clock, mayProceed: async () => undefined, checks: [] };
  const replacing = { mayReplace: true, hookUids: new Set<string>(), stateUid: undefined };
  const started = startHook({ object, address }, state, replacing, effects);
  return { started, state, address, effects, live: async () => bench.cluster.get(address) };
}

test('what somebody else created meanwhile stays as it was', async () => {
  const { started, state, address, effects, live } = await race('same', { a: '1', theirs: 'x' });
  assert.equal((await started).kind, 'failed');
  const object = await live();
  assert.deepEqual(at(object, 'data'), { a: '1', theirs: 'x' });
  assert.equal(object?.metadata.annotations?.[annotations.hookRun], undefined);
  assert.equal(object?.metadata.labels, undefined);
  assert.ok(object?.metadata.managedFields?.every(({ manager }) => manager !== 'trueup'));
  await cleanUpHook(state, address, effects);
  assert.ok(await live());
});

test('what differs is not overwritten', async () => {
  const { started, live } = await race('other', { a: '2' });
  assert.equal((await started).kind, 'failed');
  assert.deepEqual(at(await live(), 'data'), { a: '2' });
});
