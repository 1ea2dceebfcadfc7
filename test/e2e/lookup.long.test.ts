import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { decodeSnapshot } from '../../core/snapshot.ts';
import { testAws } from '../aws/test-aws.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { sweepNow } from './drift-chapter.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf } from './stage.ts';
import { until } from './until.ts';

const template = `apiVersion: v1
kind: Secret
metadata: {name: copy}
data: {p: "{{ ((lookup "v1" "Secret" .Release.Namespace "token").data).p }}"}
`;

function filesFor(namespace: string): Record<string, string> {
  return {
    'applications/looks.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: looks}
spec:
  source: {path: chart, helm: {lookup: [{apiVersion: v1, kind: Secret, name: token}]}}
  clusters: {names: [local]}
  namespace: ${namespace}
`,
    'chart/Chart.yaml': 'apiVersion: v2\nname: looks\nversion: 1.0.0\n',
    'chart/templates/copy.yaml': template,
  };
}

/** From the sweep to the render and on to the cluster, with the rights that the functions really have. */
test(
  'a changed Secret is looked up, rendered and applied without a push',
  { timeout: 600_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-lookup-'));
    const cluster = await testCluster('lookup');
    const { namespace } = cluster;
    const { aws } = await testAws();
    const from = join(dir, 'from');
    for (const [file, text] of Object.entries(filesFor(namespace))) {
      await mkdir(dirname(join(from, file)), { recursive: true });
      await writeFile(join(from, file), text);
    }
    const progress = (line: string) => t.diagnostic(line);
    const clusters = [{ name: 'local', labels: {}, cluster }];
    const installation = await install({ fleet: 'lookup', dir, from, clusters, progress, aws });
    t.after(async () => {
      await installation.stop();
      await cluster.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const clone = join(dir, 'clone');
    await cloneWorktree(installation.cloneUrlWithToken, clone);
    const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
    const records = recordsOf(installation);
    const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
    const inNamespace = ['--namespace', namespace];
    const valueOf = async (name: string) =>
      kubectl('get', 'secret', name, ...inNamespace, '-o', 'jsonpath={.data.p}', '--ignore-not-found');
    const copied = async (value: string) =>
      until(
        `a copy of ${value}`,
        async () => {
          const found = Buffer.from(await valueOf('copy'), 'base64').toString();
          if (found === value) return found;
          await sweepNow(stage);
          return undefined;
        },
        { seconds: 180, pollMilliseconds: 2000 },
      );

    await kubectl('create', 'secret', 'generic', 'token', '--from-literal=p=correct-horse', ...inNamespace);
    await pushFiles(stage, 'looks: first', { 'README.md': 'looks' });
    await copied('correct-horse');
    const target = { cluster: 'local', application: 'looks' };
    const first = await records.desired(target);
    assert.ok(first !== undefined);
    const text = (await records.store.get(keys.snapshot('looks', first.snapshot)))?.text ?? '';
    const { provenance } = decodeSnapshot(first.snapshot, text);
    assert.equal(provenance.lookups?.[0]?.seen[0]?.name, 'token');

    const patch = JSON.stringify({ stringData: { p: 'battery-staple' } });
    await kubectl('patch', 'secret', 'token', '--patch', patch, ...inNamespace);
    await copied('battery-staple');
    const second = await records.desired(target);
    assert.equal(second?.commit.sha, first.commit.sha);
    assert.ok((second?.revision ?? 0) > first.revision);
    for (const key of [
      keys.lookups(target, first.repository),
      keys.snapshot('looks', second?.snapshot ?? ''),
    ]) {
      const stored = (await records.store.get(key))?.text ?? '';
      assert.ok(stored.length > 0 && !stored.includes(Buffer.from('battery-staple').toString('base64')), key);
    }
  },
);
