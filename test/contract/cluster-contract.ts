import assert from 'node:assert/strict';
import { before as beforeAll, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../../core/model/json.ts';
import type { KubeObject, LiveObject } from '../../core/model/object.ts';
import type { ApplyOptions, ApplyOutcome, Cluster, ObjectAddress } from '../../core/ports.ts';

/** A cluster to hold to the contract. */
export interface ContractSubject {
  readonly cluster: Cluster;
  /** A namespace that is there and empty. */
  readonly namespace: string;
  /** Creates an object as kubectl, or sets members of one. */
  readonly write: (address: ObjectAddress, content: JsonObject & { readonly kind: string }) => Promise<void>;
}

const options: ApplyOptions = { dryRun: false, force: true };

/** What core relies on, of the real adapter and of the fake alike. */
export function clusterContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(name, () => {
    let subject: ContractSubject;
    beforeAll(async () => {
      subject = await open();
    });

    const address = (object: string): ObjectAddress => {
      return { apiVersion: 'v1', plural: 'configmaps', namespace: subject.namespace, name: object };
    };
    const configMap = (object: string, data: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: object,
        namespace: subject.namespace,
        labels: { 'trueup.dev/application': 'contract' },
      },
      data,
    });
    const apply = async (object: KubeObject, more: Partial<ApplyOptions> = {}): Promise<ApplyOutcome> =>
      subject.cluster.apply(address(object.metadata.name), object, { ...options, ...more });
    const applied = async (object: KubeObject, more: Partial<ApplyOptions> = {}) => {
      const outcome = await apply(object, more);
      assert.equal(outcome.kind, 'applied', JSON.stringify(outcome));
      return outcome;
    };
    const dataOf = (live: LiveObject | undefined) => live?.['data'];

    test('an object that is not there is undefined, and so is one of a kind that nobody serves', async () => {
      assert.equal(await subject.cluster.get(address('nobody')), undefined);
      const alien = {
        apiVersion: 'example.org/v9',
        plural: 'aliens',
        namespace: subject.namespace,
        name: 'a',
      };
      assert.equal(await subject.cluster.get(alien), undefined);
    });

    test('apply creates, says so once, and is ours in managedFields', async () => {
      const first = await applied(configMap('one', { a: '1' }));
      assert.equal(first.created, true);
      const { uid, resourceVersion, managedFields = [], generation: _ } = first.object.metadata;
      assert.ok(uid.length > 0 && resourceVersion.length > 0);
      const [own] = managedFields;
      assert.deepEqual([own?.manager, own?.operation, managedFields.length], ['trueup', 'Apply', 1]);
      assert.equal((await applied(configMap('one', { a: '2' }))).created, false);
      assert.deepEqual(dataOf(await subject.cluster.get(address('one'))), { a: '2' });
    });

    test('create only: what is there stays as it is, be it the same or ours already', async () => {
      const first = await applied(configMap('fresh', { a: '1' }), { createOnly: true });
      assert.equal(first.created, true);
      assert.equal(first.object.metadata.managedFields?.length, 1);
      for (const data of [{ a: '1' }, { a: '2' }]) {
        const again = await apply(configMap('fresh', data), { createOnly: true });
        assert.deepEqual([again.kind, again.kind === 'conflict' && again.fields], ['conflict', []]);
      }
      await subject.write(address('taken'), { kind: 'ConfigMap', data: { a: 'theirs' } });
      assert.equal((await apply(configMap('taken', { b: '1' }), { createOnly: true })).kind, 'conflict');
      assert.deepEqual(dataOf(await subject.cluster.get(address('fresh'))), { a: '1' });
      assert.deepEqual(dataOf(await subject.cluster.get(address('taken'))), { a: 'theirs' });
    });

    test('an apply that changes nothing does not move the resourceVersion', async () => {
      const first = await applied(configMap('still', { a: '1' }));
      const second = await applied(configMap('still', { a: '1' }));
      assert.equal(second.object.metadata.resourceVersion, first.object.metadata.resourceVersion);
    });

    test('fields that we no longer want go away; those of others stay', async () => {
      await applied(configMap('shared', { a: '1', b: '1' }));
      await subject.write(address('shared'), { kind: 'ConfigMap', data: { a: '1', b: '1', c: 'theirs' } });
      await applied(configMap('shared', { a: '2' }));
      const live = dataOf(await subject.cluster.get(address('shared')));
      assert.deepEqual({ ...Object(live), b: undefined }, { a: '2', b: undefined, c: 'theirs' });
    });

    test('a dry run answers as an apply and writes nothing', async () => {
      const before = await applied(configMap('dry', { a: '1' }));
      const outcome = await applied(configMap('dry', { a: '2' }), { dryRun: true });
      assert.deepEqual(dataOf(outcome.object), { a: '2' });
      const live = await subject.cluster.get(address('dry'));
      assert.equal(live?.metadata.resourceVersion, before.object.metadata.resourceVersion);
    });

    test('a dry run of what is not there tells of a creation that was none', async () => {
      const outcome = await applied(configMap('unborn', { a: '1' }), { dryRun: true });
      assert.deepEqual([outcome.created, dataOf(outcome.object)], [true, { a: '1' }]);
      assert.equal(await subject.cluster.get(address('unborn')), undefined);
    });

    test('no namespace, or no such kind: absent', async () => {
      const lost = { ...address('lost'), namespace: 'there-is-no-such-namespace' };
      const object = { ...configMap('lost', {}), metadata: { name: 'lost', namespace: lost.namespace } };
      const outcome = await subject.cluster.apply(lost, object, options);
      assert.equal(outcome.kind, 'absent');
      assert.match(outcome.message, /namespaces "there-is-no-such-namespace" not found/);
      const alien = {
        apiVersion: 'example.org/v9',
        plural: 'aliens',
        namespace: subject.namespace,
        name: 'a',
      };
      const widget = { apiVersion: 'example.org/v9', kind: 'Alien', metadata: { name: 'a' } };
      assert.equal((await subject.cluster.apply(alien, widget, options)).kind, 'absent');
    });

    test('delete needs the very object that was seen', async () => {
      const { object } = await applied(configMap('doomed', { a: '1' }));
      const { uid, resourceVersion } = object.metadata;
      const wrongUid = { uid: '11111111-1111-1111-1111-111111111111', resourceVersion };
      assert.equal((await subject.cluster.delete(address('doomed'), wrongUid)).kind, 'conflict');
      const newer = await applied(configMap('doomed', { a: '2' }));
      assert.equal(
        (await subject.cluster.delete(address('doomed'), { uid, resourceVersion })).kind,
        'conflict',
      );
      const seen = { uid, resourceVersion: newer.object.metadata.resourceVersion };
      assert.equal((await subject.cluster.delete(address('doomed'), seen)).kind, 'deleted');
      assert.equal(await subject.cluster.get(address('doomed')), undefined);
      assert.equal((await subject.cluster.delete(address('doomed'), seen)).kind, 'absent');
    });

    test('an object that a finalizer keeps is deleting, and still there', async () => {
      const kept = configMap('kept', {});
      const { object } = await applied({
        ...kept,
        metadata: { ...kept.metadata, finalizers: ['example.org/wait'] },
      });
      const { uid, resourceVersion } = object.metadata;
      const outcome = await subject.cluster.delete(address('kept'), { uid, resourceVersion });
      assert.equal(outcome.kind, 'deleting');
      const live = await subject.cluster.get(address('kept'));
      assert.notEqual(live?.metadata['deletionTimestamp'], undefined);
      await subject.write(address('kept'), { kind: 'ConfigMap', metadata: { finalizers: [] } });
    });

    test('list by label finds ours in all namespaces, with kind and version, and metadata alone where asked', async () => {
      await applied(configMap('listed', { a: '1' }));
      const resource = (await subject.cluster.resources()).find(
        ({ group, plural }) => group === '' && plural === 'configmaps',
      );
      assert.ok(resource);
      const found = async (metadataOnly: boolean) => {
        const { resourceVersion, items } = await subject.cluster.list(
          resource,
          'trueup.dev/application=contract',
          { metadataOnly },
        );
        assert.match(resourceVersion, /^[0-9]+$/);
        return items.find(
          ({ metadata }) => metadata.name === 'listed' && metadata.namespace === subject.namespace,
        );
      };
      const whole = await found(false);
      assert.deepEqual([whole?.apiVersion, whole?.kind, dataOf(whole)], ['v1', 'ConfigMap', { a: '1' }]);
      const bare = await found(true);
      assert.deepEqual([bare?.apiVersion, bare?.kind, dataOf(bare)], ['v1', 'ConfigMap', undefined]);
      assert.equal(bare?.metadata.uid, whole?.metadata.uid);
      assert.equal(bare?.metadata.managedFields?.[0]?.manager, 'trueup');
      const none = await subject.cluster.list(resource, 'trueup.dev/application=nobody-has-this');
      assert.deepEqual(none.items, []);
      const any = await subject.cluster.list(resource, 'trueup.dev/application');
      assert.ok(
        any.items.some(({ metadata }) => metadata.uid === whole?.metadata.uid),
        'whatever the value',
      );
    });

    test('a list of one namespace, no longer than asked by more than one', async () => {
      await applied(configMap('one-of-many', { a: '1' }));
      await applied(configMap('two-of-many', { a: '2' }));
      const resource = (await subject.cluster.resources()).find(
        ({ group, plural }) => group === '' && plural === 'configmaps',
      );
      assert.ok(resource);
      const { namespace } = subject;
      const { items } = await subject.cluster.list(resource, '', { namespace, most: 100 });
      assert.ok(items.length >= 2 && items.length <= 101);
      assert.deepEqual([...new Set(items.map(({ metadata }) => metadata.namespace))], [namespace]);
      const { items: few } = await subject.cluster.list(resource, '', { namespace, most: 1 });
      assert.equal(few.length, 2);
    });

    test('two lists of metadata have the same digest while nothing that they list was written to', async () => {
      const resource = (await subject.cluster.resources()).find(
        ({ group, plural }) => group === '' && plural === 'configmaps',
      );
      assert.ok(resource);
      const selector = 'contract-digest=yes';
      const digest = async (
        key = 'k',
        more: { readonly metadataOnly?: boolean } = { metadataOnly: true },
      ) => {
        const asked = { digestKey: new TextEncoder().encode(key), ...more };
        return (await subject.cluster.list(resource, selector, asked)).digest;
      };
      const labelled = (object: string, data: Record<string, string>): KubeObject => {
        const { metadata, ...rest } = configMap(object, data);
        return {
          ...rest,
          metadata: { ...metadata, labels: { ...metadata.labels, 'contract-digest': 'yes' } },
        };
      };
      const { length } = (await digest()) ?? '';
      assert.ok(length > 32, 'an empty list has one, too');
      const first = await applied(labelled('digested', { a: '1' }));
      const one = await digest();
      await applied(configMap('another', { a: '1' }));
      assert.equal(
        await digest(),
        one,
        'what is not listed does not count, nor does the version of the list',
      );
      assert.notEqual(await digest('other'), one, 'it is keyed');
      assert.equal(await digest('k', {}), undefined, 'of whole objects there is none');
      await applied(labelled('digested', { a: '2' }));
      const two = await digest();
      const second = await applied(labelled('second', {}));
      const three = await digest();
      assert.equal(new Set([one, two, three]).size, 3);
      const { uid, resourceVersion } = second.object.metadata;
      await subject.cluster.delete(address('second'), { uid, resourceVersion });
      assert.equal(await digest(), two, 'as it was before the other one came');
      const list = await subject.cluster.list(resource, selector, {
        metadataOnly: true,
        digestKey: new Uint8Array(32),
      });
      assert.deepEqual(
        list.items.map(({ kind, apiVersion, metadata }) => [apiVersion, kind, metadata.uid]),
        [['v1', 'ConfigMap', first.object.metadata.uid]],
      );
    });

    test('the version of a list grows with every write', async () => {
      const resource = (await subject.cluster.resources()).find(
        ({ group, plural }) => group === '' && plural === 'configmaps',
      );
      assert.ok(resource);
      const version = async () => {
        const list = await subject.cluster.list(resource, 'trueup.dev/application=contract');
        return BigInt(list.resourceVersion);
      };
      const before = await version();
      const { object } = await applied(configMap('newer', { a: '1' }));
      const after = await version();
      assert.ok(after > before);
      assert.ok(after >= BigInt(object.metadata.resourceVersion));
      const { uid, resourceVersion } = object.metadata;
      await subject.cluster.delete(address('newer'), { uid, resourceVersion });
      assert.ok((await version()) > after, 'a deletion moves it, too');
    });

    test('the version is told', async () => {
      assert.match(await subject.cluster.version(), /^v1\.[0-9]+\./);
    });

    test('without force a field that another manager has with another value is a conflict by name', async () => {
      await applied(configMap('fought', { a: '1', b: '1' }));
      await subject.write(address('fought'), { kind: 'ConfigMap', data: { a: 'theirs', b: '1' } });
      for (const dryRun of [true, false]) {
        const outcome = await apply(configMap('fought', { a: '2', b: '1' }), { force: false, dryRun });
        assert.equal(outcome.kind, 'conflict', JSON.stringify(outcome));
        assert.deepEqual(outcome.fields, [{ field: '.data.a', manager: 'kubectl' }]);
      }
      assert.deepEqual(dataOf(await subject.cluster.get(address('fought'))), { a: 'theirs', b: '1' });
      await applied(configMap('fought', { a: 'theirs', b: '1' }), { force: false });
      await applied(configMap('fought', { a: '2', b: '1' }));
      await applied(configMap('fought', { a: '3', b: '1' }), { force: false });
      assert.deepEqual(dataOf(await subject.cluster.get(address('fought'))), { a: '3', b: '1' });
    });

    test('a JSON patch is applied to the very version that was seen, and to no other', async () => {
      const first = await applied(configMap('patched', { a: '1' }));
      const { uid, resourceVersion } = first.object.metadata;
      const add = [{ op: 'add', path: '/data/b', value: '2' }] as const;
      const other = { uid: '11111111-1111-1111-1111-111111111111', resourceVersion };
      assert.equal((await subject.cluster.patch(address('patched'), other, add)).kind, 'conflict');
      const outcome = await subject.cluster.patch(address('patched'), { uid, resourceVersion }, add);
      assert.equal(outcome.kind, 'applied', JSON.stringify(outcome));
      assert.deepEqual([outcome.created, dataOf(outcome.object)], [false, { a: '1', b: '2' }]);
      const again = await subject.cluster.patch(address('patched'), { uid, resourceVersion }, add);
      assert.equal(again.kind, 'conflict');
      const seen = { uid, resourceVersion: outcome.object.metadata.resourceVersion };
      await subject.cluster.patch(address('patched'), seen, [{ op: 'remove', path: '/data/a' }]);
      assert.deepEqual(dataOf(await subject.cluster.get(address('patched'))), { b: '2' });
      assert.equal((await subject.cluster.patch(address('nobody'), seen, add)).kind, 'absent');
    });

    for (const propagation of ['Orphan', 'Background'] as const) {
      test(`deletion with ${propagation} ${propagation === 'Orphan' ? 'leaves' : 'takes'} the dependents`, async () => {
        const suffix = propagation.toLowerCase();
        const { object } = await applied(configMap(`owner-${suffix}`, {}));
        const { uid, resourceVersion } = object.metadata;
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: `owner-${suffix}`, uid };
        const dependent = configMap(`owned-${suffix}`, { a: '1' });
        await applied({ ...dependent, metadata: { ...dependent.metadata, ownerReferences: [owner] } });
        await subject.cluster.delete(address(`owner-${suffix}`), { uid, resourceVersion }, { propagation });
        // A real cluster collects garbage when it comes to it.
        const look = async () => [
          await subject.cluster.get(address(`owner-${suffix}`)),
          await subject.cluster.get(address(`owned-${suffix}`)),
        ];
        const isDone = ([gone, left]: Awaited<ReturnType<typeof look>>) =>
          gone === undefined &&
          (propagation === 'Orphan' ? left?.metadata['ownerReferences'] === undefined : left === undefined);
        const deadline = Date.now() + 30_000;
        let seen = await look();
        while (!isDone(seen) && Date.now() < deadline) {
          await delay(50);
          seen = await look();
        }
        assert.ok(isDone(seen), JSON.stringify(seen));
        assert.equal(seen[1] === undefined, propagation === 'Background');
      });
    }

    test('resources tell scope, plural and verbs, by group and version', async () => {
      const resources = await subject.cluster.resources();
      const summary = resources
        .filter(({ kind }) => ['Namespace', 'Deployment', 'Event'].includes(kind))
        .map(({ group, version, kind, plural, namespaced }) =>
          [group, version, kind, plural, namespaced].join(' '),
        )
        .filter((line) => !line.startsWith('example.org'));
      assert.deepEqual(summary.toSorted(), [
        ' v1 Event events true',
        ' v1 Namespace namespaces false',
        'apps v1 Deployment deployments true',
        'events.k8s.io v1 Event events true',
      ]);
      assert.ok(resources.every(({ plural }) => !plural.includes('/')));
    });

    test('one Event is served by two groups under one uid', async () => {
      const { namespace } = subject;
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'moved', namespace },
        involvedObject: { kind: 'Namespace', name: namespace, namespace },
        reason: 'Contract',
        type: 'Normal',
      };
      const core = { apiVersion: 'v1', plural: 'events', namespace, name: 'moved' };
      const outcome = await subject.cluster.apply(core, event, options);
      assert.equal(outcome.kind, 'applied');
      const other = await subject.cluster.get({ ...core, apiVersion: 'events.k8s.io/v1' });
      assert.equal(other?.metadata.uid, outcome.object.metadata.uid);
      assert.equal(other.apiVersion, 'events.k8s.io/v1');
    });
  });
}
