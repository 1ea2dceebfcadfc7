import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applyRank, type ApplyTask } from '../../../core/apply.ts';
import type { JsonObject } from '../../../core/model/json.ts';
import { refKey, refOf, type KubeObject } from '../../../core/model/object.ts';
import type { Clock } from '../../../core/ports.ts';
import { Workbench } from './workbench.ts';

let bench: Workbench;
before(async () => {
  bench = await Workbench.open('webhooks');
});
after(async () => {
  await bench.real.admin.remove(configurationPath());
  await bench.real.stop();
});

const configurationPath = (): string =>
  `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${bench.real.namespace}`;

/** A webhook whose Service does not exist, for the ConfigMaps of this file's namespace alone. */
async function registerWebhook(): Promise<void> {
  const configuration: JsonObject = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: bench.real.namespace },
    webhooks: [
      {
        name: 'check.example.org',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: { service: { name: 'absent', namespace: bench.real.namespace, path: '/' } },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': bench.real.namespace } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      },
    ],
  };
  await bench.real.admin.create(configurationPath().replace(/\/[^/]*$/, ''), configuration);
  const deadline = Date.now() + 30_000;
  // The server reads its configuration a moment later.
  for (let tries = 0; ; tries += 1) {
    const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `probe-${tries}` } };
    const path = `/api/v1/namespaces/${bench.real.namespace}/configmaps?dryRun=All`;
    if ((await bench.real.admin.ask('POST', path, { body: probe })).status === 500) return;
    assert.ok(Date.now() < deadline, 'the webhook is called in time');
  }
}

const map = (name: string): KubeObject =>
  bench.object(`{ apiVersion: v1, kind: ConfigMap, metadata: { name: ${name} } }`);

/** Time that passes only while somebody sleeps, and what happens then. */
function hasty(onSleep: (slept: number) => Promise<void> = async () => undefined): Clock & { slept: number } {
  const start = Date.now();
  const clock = {
    slept: 0,
    now: () => start + clock.slept,
    sleep: async (milliseconds: number) => {
      clock.slept += milliseconds;
      await onSleep(clock.slept);
    },
  };
  return clock;
}

function taskOf(object: KubeObject): ApplyTask {
  const ref = refOf(object);
  const address = bench.address(object);
  const { apiVersion, plural } = address;
  const entry = { ref, apiVersion, plural, state: 'intent' as const, created: false, adopted: false };
  const place = { key: refKey(ref), ref, object, digest: 'v1', address, entry };
  return { ...place, action: 'create', live: undefined, needs: [] };
}

test('a webhook that comes up a moment later is waited for', async () => {
  await registerWebhook();
  const path = configurationPath();
  const clock = hasty(async (slept) => {
    if (slept === 2_000) await bench.real.admin.remove(path);
    // Its removal takes a moment of real time to be known.
    if (slept >= 2_000) await bench.clock.sleep(200);
  });
  const result = await bench.apply(map('waits'), { effects: { clock } });
  assert.equal(result.outcome.outcome, 'created', result.outcome.message);
  assert.ok(clock.slept >= 2_000);
});

test('one that stays away fails its objects one by one, named, after one short wait for all', async () => {
  await registerWebhook();
  const clock = hasty();
  const objects = Array.from({ length: 20 }, (_, index) => map(`late-${index}`));
  const service = bench.object(
    '{ apiVersion: v1, kind: Service, metadata: { name: free }, spec: { ports: [{ port: 80 }] } }',
  );
  const effects = { ...bench.effects({}), clock };
  const { results, stopped } = await applyRank([...objects, service].map(taskOf), effects, {
    planned: new Set(),
    failed: new Set(),
  });
  assert.equal(stopped, undefined, 'a webhook that is down does not mean that the cluster is gone');
  const failed = results.filter(({ failure }) => failure === 'retry');
  assert.deepEqual([failed.length, results.length], [objects.length, objects.length + 1]);
  for (const { unanswered, outcome } of failed) {
    assert.equal(unanswered, undefined);
    assert.match(outcome.message ?? '', /admission webhook check\.example\.org could not be called/);
  }
  // Eight wait beside each other, and each sleep moves the clock: no more than that in all.
  assert.ok(clock.slept < 20_000, `${clock.slept} ms`);
  await bench.real.admin.remove(configurationPath());
});
