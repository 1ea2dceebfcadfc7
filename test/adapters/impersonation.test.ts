import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ApiClient, type ApiAccess } from '../../adapters/api-client.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { ConfiguredClusters } from '../../adapters/clusters.ts';
import { accessOf } from '../../adapters/kubeconfig.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { Blocked } from '../../core/errors.ts';
import type { Identity } from '../../core/ports.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';

const clock = new SystemClock();
let real: TestCluster;
let admin: ApiAccess;
let team: Identity;

before(async () => {
  real = await testCluster('impersonation');
  admin = await accessOf(real.kubeconfig, { cluster: 'east', subject: 'the test cluster' });
  // A team of this file's own, so that no other test sees its rights.
  team = { user: 'jane', groups: [`team-${randomBytes(3).toString('hex')}`, 'another-team'] };
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] }];
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${real.namespace}`;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await real.admin.create(`${roles}/roles`, { apiVersion, kind: 'Role', metadata: { name: 'team' }, rules });
  await real.admin.create(`${roles}/rolebindings`, {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: 'team' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'team' },
    subjects: [{ kind: 'Group', name: team.groups[0] ?? '', apiGroup: 'rbac.authorization.k8s.io' }],
  });
  // The server learns of a new right a moment later.
  const deadline = clock.now() + 30_000;
  while (!(await mayPatch())) {
    assert.ok(clock.now() < deadline, 'the right is known in time');
    await clock.sleep(50);
  }
});
after(async () => real.stop());

async function mayPatch(): Promise<boolean> {
  const review = await real.admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: team.user,
      groups: team.groups,
      resourceAttributes: { namespace: real.namespace, verb: 'patch', resource: 'configmaps' },
    },
  });
  return at(review, 'status', 'allowed') === true;
}

function as(impersonate: Identity, access: ApiAccess = admin): ApiCluster {
  return new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000, { impersonate }));
}

/** Our own access as a service account without any right. */
async function weakAccess(): Promise<ApiAccess> {
  const accounts = `/api/v1/namespaces/${real.namespace}/serviceaccounts`;
  const metadata = { name: `weak-${randomBytes(3).toString('hex')}` };
  await real.admin.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const request = await real.admin.create(`${accounts}/${metadata.name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {},
  });
  const token = at(request, 'status', 'token');
  assert.equal(typeof token, 'string');
  const { clientCertificate: _, ...access } = admin;
  return { ...access, authorization: async () => `Bearer ${token as string}` };
}

const address = (plural: string) => ({ apiVersion: 'v1', plural, namespace: real.namespace, name: 'a' });
const object = (kind: string) => ({
  apiVersion: 'v1',
  kind,
  immutable: false,
  metadata: { name: 'a', namespace: real.namespace },
});

async function refusal(call: Promise<unknown>): Promise<Blocked> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Blocked, String(error));
  return error;
}

describe('requests as another', () => {
  test('writes, dry runs and reads have the rights of its groups, and no more', async () => {
    const access = { type: 'kubeconfig', secret: 'kubeconfig' } as const;
    const secrets = { get: async () => ({ current: real.kubeconfig }) };
    const clusters = new ConfiguredClusters([{ name: 'east', labels: {}, access }], secrets, clock);
    const cluster = await clusters.connect('east', () => clock.now() + 60_000, { impersonate: team });
    for (const dryRun of [true, false]) {
      const options = { dryRun, force: true };
      const allowed = await cluster.apply(address('configmaps'), object('ConfigMap'), options);
      assert.equal(allowed.kind, 'applied', JSON.stringify(allowed));
      const outcome = await cluster.apply(address('secrets'), object('Secret'), options);
      assert.equal(outcome.kind, 'refused');
      assert.match(outcome.message, /User "jane" cannot patch resource "secrets"/);
    }
    const live = await cluster.get(address('configmaps'));
    assert.equal(live?.metadata.managedFields?.[0]?.manager, 'trueup', 'the field manager stays ours');
    const error = await refusal(cluster.get(address('secrets')));
    assert.match(
      error.message,
      /^cluster east: does not let us get secrets \S+\/a \(403: .*\); grant jane the right to$/,
    );
    const { uid, resourceVersion } = live?.metadata ?? { uid: '', resourceVersion: '' };
    const kept = await cluster.delete(address('configmaps'), { uid, resourceVersion });
    assert.equal(kept.kind, 'refused');
  });

  test('a list that is forbidden names the kind', async () => {
    const cluster = as(team);
    const secrets = (await cluster.resources()).find(
      ({ plural, group }) => plural === 'secrets' && group === '',
    );
    assert.ok(secrets);
    const { message } = await refusal(cluster.list(secrets, '', { metadataOnly: true }));
    assert.match(message, /does not let us list secrets \(403: .*grant jane the right to$/);
  });

  test('an identity that we may not take on says what to grant to whom', async () => {
    const access = await weakAccess();
    const cases: readonly (readonly [Identity, RegExp])[] = [
      [{ user: 'jane', groups: [] }, /act as jane: grant .* impersonate on users \(resourceNames: jane\) \(/],
      [
        { user: 'jane', groups: ['dev', 'ops'] },
        /impersonate on users \(resourceNames: jane\) and on groups \(resourceNames: dev, ops\) \(/,
      ],
      [
        { user: 'system:serviceaccount:web:deployer', groups: [] },
        /impersonate on serviceaccounts \(namespace web, resourceNames: deployer\) \(/,
      ],
    ];
    for (const [identity, text] of cases) {
      const cluster = as(identity, access);
      const applying = cluster.apply(address('configmaps'), object('ConfigMap'), {
        dryRun: true,
        force: true,
      });
      const error = await refusal(applying);
      assert.match(error.message, text);
      assert.match(error.message, /cannot impersonate/, 'the words of the server are kept');
      await refusal(cluster.get(address('configmaps')));
    }
  });

  for (const name of ['jürgen', 'jane\r\nImpersonate-Group: system:masters', '', ' jane', 'jane\t']) {
    test(`the name ${JSON.stringify(name)} is refused before anything is sent`, () => {
      for (const identity of [
        { user: name, groups: [] },
        { user: 'jane', groups: ['dev', name] },
      ]) {
        assert.throws(() => as(identity), /cluster east: cannot be asked as ".*": names to impersonate/);
      }
    });
  }
});
