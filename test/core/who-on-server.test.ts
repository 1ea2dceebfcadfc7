import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { AuditLogFile } from '../../adapters/audit-log-file.ts';
import type { Who } from '../../core/model/drift.ts';
import type { KubeObject } from '../../core/model/object.ts';
import { sweepCluster } from '../../core/sweep.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { findTools } from '../cluster/tools.ts';
import { until } from '../e2e/until.ts';
import { workbench, type Workbench } from './drift/workbench.ts';
import { configMap, deployment, SweepWorld } from './sweep/sweep-world.ts';

const run = promisify(execFile);

let testing: TestCluster;
let bench: Workbench;
let log: AuditLogFile | undefined;
let kubectlPath: string;

before(async () => {
  testing = await testCluster('who');
  bench = await workbench(testing.kubeconfig);
  kubectlPath = (await findTools({ progress: () => undefined })).kubectl;
  log = testing.auditLogPath === undefined ? undefined : new AuditLogFile(testing.auditLogPath);
});
after(async () => testing.stop());

const here = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, namespace: testing.namespace },
});

const kubectl = async (...args: string[]): Promise<void> => {
  const place = ['--kubeconfig', testing.kubeconfigPath, '--namespace', testing.namespace];
  await run(kubectlPath, [...place, ...args]);
};

const path = (plural: string, name: string): string =>
  plural === 'configmaps'
    ? `/api/v1/namespaces/${testing.namespace}/configmaps/${name}`
    : `/apis/apps/v1/namespaces/${testing.namespace}/${plural}/${name}`;

/** A server ends a request before it has written so. */
async function isLogged(since: number, name: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const writes = await Array.fromAsync(log?.writes(since, Date.now()) ?? []);
    const isThere = writes.some(
      (write) =>
        write.namespace === testing.namespace &&
        (write.name === name || write.who.verb === 'deletecollection'),
    );
    if (isThere) return;
    assert.ok(Date.now() < deadline, `the audit log tells of no write to ${name}`);
    await delay(50);
  }
}

const shown = (who: Who | undefined): string =>
  who === undefined
    ? '-'
    : [who.user, who.impersonated ?? '', who.verb, who.userAgent?.split(' ')[0] ?? '']
        .filter(Boolean)
        .join(' ');

const cases: readonly {
  readonly name: string;
  readonly act: (name: string) => Promise<unknown>;
  readonly who: string;
}[] = [
  {
    name: 'alice edits with kubectl',
    act: async (name) =>
      kubectl(
        '--user',
        'alice',
        'patch',
        `deployment/${name}`,
        '--type=json',
        '-p',
        '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"a:9"}]',
      ),
    who: 'alice patch kubectl/v1.36.3',
  },
  {
    name: 'alice scales',
    act: async (name) => kubectl('--user', 'alice', 'scale', `deployment/${name}`, '--replicas=5'),
    who: 'alice patch kubectl/v1.36.3',
  },
  {
    name: 'alice scales to nothing, of which managedFields tell no owner',
    act: async (name) => kubectl('--user', 'alice', 'scale', `deployment/${name}`, '--replicas=0'),
    who: 'alice patch kubectl/v1.36.3',
  },
  {
    name: 'alice deletes',
    act: async (name) => kubectl('--user', 'alice', 'delete', `deployment/${name}`, '--wait=true'),
    who: 'alice delete kubectl/v1.36.3',
  },
  {
    name: 'a rival controller applies by force',
    act: async (name) => {
      const spec = { template: { spec: { containers: [{ name: 'app', image: 'a:7' }] } } };
      const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
      await (await testing.as('rival-controller')).apply(path('deployments', name), object, 'rival');
    },
    who: 'rival-controller patch',
  },
  {
    // The kubeconfig has no such user: then the administrator's requests say whom they act as.
    name: 'an administrator acts as somebody else',
    act: async (name) => {
      await testing.admin.create(
        `/apis/rbac.authorization.k8s.io/v1/namespaces/${testing.namespace}/rolebindings`,
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'mallory' },
          subjects: [{ kind: 'User', name: 'mallory', apiGroup: 'rbac.authorization.k8s.io' }],
          roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup: 'rbac.authorization.k8s.io' },
        },
      );
      const mallory = await testing.as('mallory');
      // The authorizer hears of a binding a little after it was written.
      await until('mallory may', async () => mallory.get(path('deployments', name)).catch(() => undefined));
      await mallory.patch(path('deployments', name), { spec: { replicas: 7 } });
    },
    who: 'admin mallory patch',
  },
  {
    name: 'alice takes a field away',
    act: async (name) =>
      (await testing.as('alice')).patch(path('deployments', name), { spec: { minReadySeconds: null } }),
    who: 'alice patch',
  },
];

describe('the author of a drift, by the audit log of a real API server', () => {
  for (const [index, { name, act, who }] of cases.entries()) {
    it(name, async (context) => {
      if (log === undefined) return context.skip('the cluster has no audit log that can be read here');
      const object = `who-${index}`;
      const application = `${testing.namespace}-${index}`;
      const world = new SweepWorld(bench.cluster);
      const now = (): void => world.clock.advance(Date.now() - world.clock.now());
      now();
      await world.deploy(application, [withMore(here(deployment(object)))]);
      const started = Date.now();
      await act(object);
      await isLogged(started, object);
      now();
      await sweepCluster({ cluster: 'east', requestedBy: 'test' }, { ...world.deps, audit: log });
      const [record, ...more] = await world.records();
      assert.deepEqual(more, []);
      assert.equal(shown(record?.who), who);
      assert.ok(record?.secondsToDetect !== undefined, 'the log tells when, where managedFields do not');
      const events = world.bus.events.filter(({ type }) => type === 'DriftDetected');
      assert.equal(events.length, 1);
    });
  }

  it('names whoever deletes a whole kind, and never holds a body', async (context) => {
    if (log === undefined) return context.skip('the cluster has no audit log that can be read here');
    const world = new SweepWorld(bench.cluster);
    world.clock.advance(Date.now() - world.clock.now());
    const application = `${testing.namespace}-all`;
    await world.deploy(
      application,
      ['one', 'two'].map((name) => here(configMap(name, { a: 'not-for-records' }))),
    );
    const started = Date.now();
    const alice = await testing.as('alice');
    await alice.remove(`/api/v1/namespaces/${testing.namespace}/configmaps`);
    await isLogged(started, '');
    world.clock.advance(Date.now() - world.clock.now());
    await sweepCluster({ cluster: 'east', requestedBy: 'test' }, { ...world.deps, audit: log });
    const records = await world.records();
    assert.deepEqual(
      records.map((record) => `${record?.drift.ref.name} ${record?.drift.kind} ${shown(record?.who)}`).sort(),
      ['one missing alice deletecollection', 'two missing alice deletecollection'],
    );
    assert.doesNotMatch(JSON.stringify(records), /not-for-records/);
    const writes = await Array.fromAsync(log.writes(started, Date.now()));
    assert.doesNotMatch(JSON.stringify(writes), /not-for-records/);
  });
});

/** A Deployment that a real server takes, with a field more that somebody may take away. */
function withMore(object: KubeObject): KubeObject {
  const labels = { app: object.metadata.name };
  const spec = {
    replicas: 2,
    minReadySeconds: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'a:1' }] } },
  };
  return { ...object, spec };
}
