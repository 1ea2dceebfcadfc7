import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { immutableFields } from '../../../core/apply/immutable-fields.ts';

describe('fields that an answer of the API server calls unchangeable', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'Deployment.apps "a" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable':
      ['spec.selector'],
    'Job.batch "a" is invalid: [spec.completions: Invalid value: 3: field is immutable, spec.template: Invalid value: core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string{"a":"b"}}}: field is immutable]':
      ['spec.completions', 'spec.template'],
    'Service "a" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set': [
      'spec.clusterIPs[0]',
    ],
    'RoleBinding.rbac.authorization.k8s.io "a" is invalid: roleRef: Invalid value: {"kind":"Role","name":"b"}: cannot change roleRef':
      ['roleRef'],
    'StorageClass.storage.k8s.io "a" is invalid: [parameters: Forbidden: updates to parameters are forbidden., provisioner: Forbidden: updates to provisioner are forbidden.]':
      ['parameters', 'provisioner'],
    "StatefulSet.apps \"a\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template' are forbidden":
      ['spec'],
    'PriorityClass.scheduling.k8s.io "a" is invalid: value: Forbidden: may not be changed in an update.': [
      'value',
    ],
    'PersistentVolume "a" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation':
      ['spec.persistentvolumesource'],
    'Widget.example.org "a" is invalid: spec.size: Invalid value: "integer": size is immutable': [
      'spec.size',
    ],
    'Widget.example.org "a" is invalid: spec: Invalid value: "object": failed rule: self == oldSelf': [
      'spec',
    ],
    // Not these: nothing is immutable, or something else is wrong too, which no new object would mend.
    'Deployment.apps "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0':
      [],
    'Deployment.apps "a" is invalid: [spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`, spec.selector: Invalid value: {}: field is immutable]':
      [],
    'failed to create typed patch object (web/a; apps/v1, Kind=Deployment): .spec.immutable: field not declared in schema':
      [],
  };
  for (const [message, fields] of Object.entries(cases)) {
    test(message.slice(0, 100), () => {
      assert.deepEqual(immutableFields(message), fields);
    });
  }
});
