import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from 'js-yaml';
import * as z from 'zod';
import { handoverOf } from '../../../core/apply/legacy-managers.ts';
import { jsonObjectSchema, type Json } from '../../../core/model/json.ts';
import type { LiveObject } from '../../../core/model/object.ts';

const entrySchema = z.strictObject({
  manager: z.string(),
  operation: z.string().default('Update'),
  apiVersion: z.string().default('apps/v1'),
  subresource: z.string().exactOptional(),
  fieldsV1: jsonObjectSchema,
});

/** Entries after the hand-over, ours first; undefined when there is nothing to hand over. */
function handedOver(yaml: string): Json | undefined {
  const managedFields = entrySchema.array().parse(load(yaml));
  const live: LiveObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', uid: 'u', resourceVersion: '1', managedFields },
  };
  const [operation] = handoverOf(live)?.operations ?? [];
  return operation === undefined || operation.op === 'remove' ? undefined : operation.value;
}

const ours = (fieldsV1: Json, apiVersion = 'apps/v1'): Json => ({
  manager: 'trueup',
  operation: 'Apply',
  apiVersion,
  fieldsType: 'FieldsV1',
  fieldsV1,
});

describe('managed fields that are handed over', () => {
  test('several tools become one entry of ours; the sets are united, members kept', () => {
    const value = handedOver(`
      - { manager: kubectl-client-side-apply, fieldsV1: { f:metadata: { f:labels: { .: {}, f:a: {} } }, f:spec: { f:replicas: {} } } }
      - { manager: helm, operation: Apply, fieldsV1: { f:metadata: { f:labels: { f:b: {} } }, f:spec: { f:list: {} } } }
      - { manager: trueup, operation: Apply, fieldsV1: { f:spec: { f:list: { 'k:{"name":"a"}': { .: {}, f:name: {} } } } } }
    `);
    assert.deepEqual(value, [
      ours({
        'f:metadata': { 'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:list': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:name': {} } },
        },
      }),
    ]);
  });

  test('finalizers, owners and status stay with the controller that wrote them', () => {
    const value = handedOver(`
      - { manager: kustomize-controller, fieldsV1: { f:metadata: { f:labels: { f:a: {} }, f:finalizers: { .: {}, 'v:"x"': {} } }, f:status: { f:ready: {} } } }
    `);
    assert.deepEqual(value, [
      ours({ 'f:metadata': { 'f:labels': { 'f:a': {} } } }),
      {
        manager: 'kustomize-controller',
        operation: 'Update',
        apiVersion: 'apps/v1',
        fieldsV1: {
          'f:status': { 'f:ready': {} },
          'f:metadata': { 'f:finalizers': { '.': {}, 'v:"x"': {} } },
        },
      },
    ]);
  });

  test('not those of controllers, of people who change single fields, of subresources and of look-alikes', () => {
    const kept = [
      'kube-controller-manager',
      'kubectl-edit',
      'kubectl-patch',
      'kubectl-label',
      'kubectl-rollout',
      'kubectl-set',
      'before-first-apply',
      'helmsman',
      'my-kubectl',
      'vpa-updater',
    ];
    for (const manager of kept) {
      assert.equal(handedOver(`[{ manager: ${manager}, fieldsV1: { f:spec: {} } }]`), undefined, manager);
    }
    assert.equal(
      handedOver('[{ manager: kubectl, subresource: scale, fieldsV1: { f:spec: { f:replicas: {} } } }]'),
      undefined,
    );
  });

  test('of the version that the sets speak', () => {
    const value = handedOver(
      '[{ manager: kubectl, apiVersion: apps/v1beta1, fieldsV1: { f:spec: { f:replicas: {} } } }]',
    );
    assert.deepEqual(value, [ours({ 'f:spec': { 'f:replicas': {} } }, 'apps/v1beta1')]);
  });
});
