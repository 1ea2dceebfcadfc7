import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Agent, request as forward } from 'undici';
import { ApiClient, type ApiAccess } from '../../adapters/api-client.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { accessOf } from '../../adapters/kubeconfig.ts';
import { RequestGate } from '../../adapters/request-gate.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { Retry } from '../../core/errors.ts';
import type { KubeObject } from '../../core/model/object.ts';
import type { ApplyOptions, Cluster, ObjectAddress } from '../../core/ports.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';

const clock = new SystemClock();
const options: ApplyOptions = { dryRun: false, force: true };
let real: TestCluster;
let access: ApiAccess;
let cluster: Cluster;

before(async () => {
  real = await testCluster('limits');
  access = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  cluster = new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000));
});
after(async () => real.stop());

function configMap(name: string, data: Record<string, string>): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: real.namespace }, data };
}

function addressOf(object: KubeObject, plural: string): ObjectAddress {
  const { name, namespace } = object.metadata;
  return { apiVersion: object.apiVersion, plural, namespace, name };
}

const apply = async (object: KubeObject, plural = 'configmaps', more: Partial<ApplyOptions> = {}) =>
  cluster.apply(addressOf(object, plural), object, { ...options, ...more });

/** Serves a kind that takes anything, for this file alone. */
async function serveBlobs(): Promise<string> {
  const group = `${real.namespace}.example.org`;
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `blobs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Blob', plural: 'blobs' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
  assert.equal((await apply(definition, 'customresourcedefinitions')).kind, 'applied');
  const path = `/apis/${group}/v1/namespaces/${real.namespace}/blobs`;
  const deadline = clock.now() + 30_000;
  while ((await real.admin.ask('GET', path)).status !== 200) {
    assert.ok(clock.now() < deadline, 'the definition is served in time');
    await clock.sleep(50);
  }
  return group;
}

describe('size', () => {
  const text = (megabytes: number) => 'x'.repeat(megabytes * 1e6);

  test('a ConfigMap of 1 MB passes; 2 and 4 MB are told their size, the limit and what to do', async () => {
    assert.equal((await apply(configMap('large', { a: text(1) }))).kind, 'applied');
    const two = await apply(configMap('large', { a: text(2) }));
    assert.equal(two.kind, 'invalid');
    assert.match(two.message, /^the object is 2\.00 MB as JSON, more than the 1\.05 MB that the API server/);
    assert.match(
      two.message,
      /may not be more than 1048576 bytes.*; split it, or keep large content outside/,
    );
    const four = await apply(configMap('large', { a: text(4) }));
    assert.equal(four.kind, 'invalid');
    assert.match(four.message, /^the object is 4\.00 MB as JSON, more than the 3\.15 MB that the API server/);
  });

  test('so with a custom object, which etcd or the server refuses', async () => {
    const group = await serveBlobs();
    const metadata = { name: 'blob', namespace: real.namespace };
    const blob = (content: string) => ({ apiVersion: `${group}/v1`, kind: 'Blob', metadata, content });
    assert.equal((await apply(blob(text(1)), 'blobs')).kind, 'applied');
    const two = await apply(blob(text(2)), 'blobs');
    assert.equal(two.kind, 'invalid');
    assert.match(two.message, /2\.00 MB as JSON, more than the 1\.57 MB .*etcdserver: request is too large/);
    const four = await apply(blob(text(4)), 'blobs');
    assert.equal(four.kind, 'invalid');
    assert.match(four.message, /4\.00 MB as JSON, more than the 3\.15 MB/);
    await real.admin.remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/blobs.${group}`);
  });
});

test('an admission webhook that is not up is a Retry that names it, for a dry run too', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const name = `${real.namespace}.example.org`;
  await real.admin.create(path, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { service: { namespace: real.namespace, name: 'not-there-yet' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
        // Nobody else on this server is guarded.
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': real.namespace } },
        objectSelector: { matchLabels: { guarded: 'yes' } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 2,
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  try {
    const plain = configMap('guarded', {});
    const guarded = { ...plain, metadata: { ...plain.metadata, labels: { guarded: 'yes' } } };
    const refused = async (dryRun: boolean): Promise<unknown> =>
      apply(guarded, 'configmaps', { dryRun }).then(
        ({ kind }) => kind,
        (thrown: unknown) => thrown,
      );
    // The server begins to ask a moment after it is told to.
    const deadline = clock.now() + 30_000;
    while ((await refused(true)) === 'applied') {
      assert.ok(clock.now() < deadline, 'the webhook is asked in time');
      await clock.sleep(50);
    }
    for (const dryRun of [true, false]) {
      const error = await refused(dryRun);
      assert.ok(error instanceof Retry, String(error));
      assert.ok(
        error.message.includes(`the admission webhook ${name} could not be called, so the object waits`),
      );
      assert.match(error.message, /failed calling webhook .* service "not-there-yet" not found/);
    }
    assert.equal((await apply(configMap('free', {}))).kind, 'applied');
  } finally {
    await real.admin.remove(`${path}/${name}`);
  }
});

test('what the server says of a Secret quotes no value of it', async () => {
  const metadata = { name: 'quoted', namespace: real.namespace };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata };
  const wrong = [
    { data: { password: 424_242 } },
    { data: { password: { nested: '424242' } } },
    { stringData: { password: 424_242 } },
    { data: ['424242'] },
    { data: '424242\n424242' },
  ];
  for (const content of wrong) {
    const outcome = await apply({ ...secret, ...content }, 'secrets');
    assert.equal(outcome.kind, 'invalid');
    assert.match(outcome.message, /\.(stringD|d)ata.*: expected \w+, got another type/);
    assert.ok(!outcome.message.includes('424242'), outcome.message);
  }
  const made = await apply({ ...secret, data: { password: 'NDI0MjQy' } }, 'secrets');
  assert.equal(made.kind, 'applied');
  const { uid, resourceVersion } = made.object.metadata;
  const patch = [{ op: 'add', path: '/data/other', value: 1 }] as const;
  const outcome = await cluster.patch(addressOf(secret, 'secrets'), { uid, resourceVersion }, patch);
  assert.equal(outcome.kind, 'invalid');
  assert.ok(!outcome.message.includes('NDI0MjQy'), outcome.message);
});

/**
 * The API server behind one that throttles as it does: from the 30th request on it answers 429 to all, until one comes
 * after the second that it asked for. `refused` are how many it had to refuse each time.
 */
async function throttled() {
  const refused: number[] = [];
  let taken = 0;
  let closedAt: number | undefined;
  const dispatcher = new Agent({ connect: { ...(access.ca !== undefined && { ca: access.ca }) } });
  const server = createServer((incoming, outgoing) => {
    const isOpen = closedAt === undefined || performance.now() - closedAt >= 1000;
    if (isOpen) closedAt = undefined;
    taken += 1;
    if (!isOpen || taken % 30 === 0) {
      if (isOpen) refused.push(0);
      closedAt ??= performance.now();
      refused.push((refused.pop() ?? 0) + 1);
      outgoing.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' });
      outgoing.end('{"kind":"Status","message":"too many requests, please try again later","code":429}');
      return;
    }
    const pass = async (): Promise<void> => {
      const { connection: _c, host: _h, 'transfer-encoding': _t, ...headers } = incoming.headers;
      const method = incoming.method === 'GET' ? 'GET' : 'PATCH';
      const body = method === 'GET' ? null : incoming;
      const url = `${access.server}${incoming.url}`;
      const answer = await forward(url, { dispatcher, method, headers, body });
      outgoing.writeHead(answer.statusCode, { 'content-type': 'application/json' });
      outgoing.end(await answer.body.text());
    };
    pass().catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await dispatcher.close();
  };
  return { url: `http://127.0.0.1:${port}`, refused, close };
}

test('a server that throttles a check answers every one of its reads and dry runs in the end', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `throttled-${index}`);
  await Promise.all(names.map(async (name) => apply(configMap(name, { a: '1' }))));
  const server = await throttled();
  try {
    const { authorization } = access;
    const through = { cluster: 'east', server: server.url, ...(authorization && { authorization }) };
    const gate = new RequestGate(clock);
    const checking = new ApiCluster(new ApiClient(through, clock, () => clock.now() + 60_000, { gate }));
    const answers = await Promise.all(
      names.map(async (name) => {
        const object = configMap(name, { a: '1' });
        const address = addressOf(object, 'configmaps');
        const live = await checking.get(address);
        const outcome = await checking.apply(address, object, { dryRun: true, force: true });
        return live?.metadata.name === name && outcome.kind === 'applied';
      }),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, () => true),
    );
    assert.ok(server.refused.length > 0, 'it did throttle');
    // Those on their way already, and none after them.
    assert.ok(Math.max(...server.refused) <= 16, server.refused.join(' '));
    assert.ok(gate.rate < 400);
  } finally {
    await server.close();
  }
});
