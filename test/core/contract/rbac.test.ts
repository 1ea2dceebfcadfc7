import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rbacManifests } from '../../../core/contract/rbac.ts';

test('a service account is taken on in its own namespace alone, users and groups by their names', () => {
  const account = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;
  const users = [
    account('shop', 'deployer'),
    account('shop', 'deployer'),
    account('bank', 'deployer'),
    'ann',
  ];
  const manifests = rbacManifests({
    kinds: [{ group: '', plural: 'configmaps' }],
    impersonated: { users, groups: ['builders'] },
  });
  assert.deepEqual(
    manifests.map(({ kind, metadata: { name, namespace } }) => [kind, name, namespace]),
    [
      ['ClusterRole', 'trueup:reconcile', undefined],
      ['ClusterRoleBinding', 'trueup:reconcile', undefined],
      ['ClusterRole', 'trueup:sweep', undefined],
      ['ClusterRoleBinding', 'trueup:sweep', undefined],
      ['Role', 'trueup:impersonate', 'shop'],
      ['RoleBinding', 'trueup:impersonate', 'shop'],
      ['Role', 'trueup:impersonate', 'bank'],
      ['RoleBinding', 'trueup:impersonate', 'bank'],
    ],
  );
  const wide = JSON.stringify(manifests.filter(({ kind }) => kind === 'ClusterRole'));
  assert.doesNotMatch(wide, /serviceaccounts|deployer/);
  assert.match(wide, /"users"\],"verbs":\["impersonate"\],"resourceNames":\["ann"\]/);
  assert.match(wide, /"groups"\],"verbs":\["impersonate"\],"resourceNames":\["builders"\]/);
  const own = manifests.find(({ kind }) => kind === 'Role');
  assert.deepEqual(own?.['rules'], [
    { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'], resourceNames: ['deployer'] },
  ]);
});
