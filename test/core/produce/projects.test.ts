import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { ProduceWorld, application, configMap } from './world.ts';

const access = { type: 'eks', name: 'x' } as const;

function config(project: Partial<NonNullable<StackConfigInput['projects']>[number]> = {}): StackConfigInput {
  return {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git', project: 'shop' }],
    clusters: [
      { name: 'dev', access, labels: { tier: 'dev' } },
      { name: 'prod', access, labels: { tier: 'prod' } },
    ],
    projects: [
      { name: 'shop', repositories: ['fleet'], clusters: ['prod'], namespaces: ['web'], ...project },
      { name: 'other', repositories: ['*'], clusters: ['*'], namespaces: ['*'] },
    ],
  };
}

const role =
  'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: all\nrules: []\n';
const files = (spec: Record<string, string> = {}, more: Record<string, string> = {}) => ({
  'applications/web.yaml': application('web', spec),
  'apps/web/a.yaml': configMap('a', '1'),
  ...more,
});

/** What is told of the failure of a commit. */
async function faults(world: ProduceWorld): Promise<readonly string[]> {
  return world.bus.events.flatMap((event) =>
    event.type === 'SnapshotFailed'
      ? event.detail.faults.map(({ subject, message }) => `${subject}: ${message}`)
      : [],
  );
}

const refused: readonly {
  readonly name: string;
  readonly files: Record<string, string>;
  readonly says: RegExp;
}[] = [
  {
    name: 'another project than that of its repository',
    files: files({ project: 'other' }),
    says: /^applications\/web\.yaml:8: spec\.project: repository fleet is bound to project shop: its applications cannot be in other$/,
  },
  {
    name: 'a cluster by name',
    files: files({ clusters: '{names: [dev]}' }),
    says: /^applications\/web\.yaml:7: spec\.clusters\.names\.0: project shop does not allow cluster dev \(its clusters in the stack configuration: prod\)$/,
  },
  {
    name: 'a namespace',
    files: files({ namespace: 'kube-system' }),
    says: /^applications\/web\.yaml:6: spec\.namespace: project shop does not allow namespace kube-system/,
  },
  {
    name: 'a cluster-scoped object',
    files: files({}, { 'apps/web/role.yaml': role }),
    says: /^apps\/web\/role\.yaml:1: ClusterRole all: project shop does not allow cluster-scoped kind rbac\.authorization\.k8s\.io\/ClusterRole \(its clusterKinds in the stack configuration: none\)$/,
  },
];

describe('projects, at a commit', () => {
  for (const one of refused) {
    it(`refuse ${one.name}, naming rule, file and line`, async () => {
      const world = new ProduceWorld();
      await world.push('a', one.files, { config: config() });
      const [fault = '', ...more] = await faults(world);
      assert.deepEqual(more, []);
      assert.match(fault, one.says);
      assert.deepEqual(world.takeRuns(), []);
    });
  }

  it('let a selector choose among their clusters alone', async () => {
    const world = new ProduceWorld();
    const everywhere = files({ clusters: '{selector: {matchLabels: {}}}' });
    await world.push('a', everywhere, { config: config() });
    assert.deepEqual(world.takeRuns(), ['web on prod']);
    await world.push('b', { ...everywhere, 'README.md': 'x' }, { config: config({ clusters: ['*'] }) });
    assert.deepEqual(world.takeRuns(), ['web on dev']);
  });

  it('hold what was rendered before against rules that changed since', async () => {
    const world = new ProduceWorld();
    const same = files({}, { 'apps/web/role.yaml': role });
    await world.push('a', same, { config: config({ clusterKinds: ['*'] }) });
    assert.deepEqual(world.takeRuns(), ['web on prod']);
    await world.push('b', { ...same, 'README.md': 'x' }, { config: config() });
    assert.match((await faults(world)).join('\n'), /ClusterRole all: project shop does not allow/);
    assert.equal((await world.pointer('web')).failed?.faults.length, 1);
  });
});
