import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { healthOf } from '../../../core/health.ts';
import { isJsonObject } from '../../../core/model/json.ts';
import { groupOf, kubeObjectSchema } from '../../../core/model/object.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { now } from './table.ts';

/** Kinds that people run next to their applications, in the states that their controllers leave them in. */

const folder = join(import.meta.dirname, 'kinds');
const casesSchema = z.array(
  z.strictObject({ name: z.string(), expect: z.string(), object: kubeObjectSchema }),
);

const files = readdirSync(folder).map((file) => {
  const [document] = readYaml(file, readFileSync(join(folder, file), 'utf8'));
  return { file, cases: casesSchema.parse(document?.value) };
});

for (const { file, cases } of files) {
  describe(file, () => {
    for (const { name, expect, object } of cases) {
      test(name, () => {
        const { status, reason, message } = healthOf(object, now);
        const said = [status, reason].filter((part) => part !== '').join(' ');
        const text = message === '' ? said : `${said}: ${message}`;
        assert.ok(text.startsWith(expect), `"${text}" does not begin with "${expect}"`);
      });
    }
  });
}

const listed = [
  'gateway.networking.k8s.io/GatewayClass',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/HTTPRoute',
  'gateway.networking.k8s.io/GRPCRoute',
  'gateway.networking.k8s.io/TLSRoute',
  'gateway.networking.k8s.io/TCPRoute',
  'cert-manager.io/Certificate',
  'external-secrets.io/ExternalSecret',
  'monitoring.coreos.com/Prometheus',
  'flagger.app/Canary',
  'argoproj.io/Rollout',
  'pkg.crossplane.io/Provider',
  's3.services.k8s.aws/Bucket',
  'keda.sh/ScaledObject',
  'karpenter.sh/NodePool',
  'networking.istio.io/VirtualService',
  'kafka.strimzi.io/Kafka',
  'postgresql.cnpg.io/Cluster',
  'serving.knative.dev/Service',
  'velero.io/Backup',
  'cluster.x-k8s.io/Cluster',
];

test('every kind of the list has a case that is Healthy', () => {
  const healthy = new Set(
    files.flatMap(({ cases }) =>
      cases
        .filter(({ expect }) => expect.startsWith('Healthy'))
        .map(({ object }) => `${groupOf(object.apiVersion)}/${object.kind}`),
    ),
  );
  // A GRPCRoute, a TLSRoute and an HTTPRoute are judged by the same rule.
  const bySameRule = new Set(['gateway.networking.k8s.io/GRPCRoute', 'gateway.networking.k8s.io/TLSRoute']);
  assert.deepEqual(
    listed.filter((kind) => !healthy.has(kind) && !bySameRule.has(kind)),
    [],
  );
});

test('an object is never Healthy while a generation of it is not observed', () => {
  for (const { cases } of files) {
    for (const { name, object } of cases) {
      const { metadata } = object;
      const status = {
        ...(isJsonObject(object['status']) && object['status']),
        observedGeneration: 1,
      };
      const changed = { ...object, metadata: { ...metadata, generation: 99 }, status };
      assert.notEqual(healthOf(changed, now).status, 'Healthy', name);
    }
  }
});
