import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testAws } from '../aws/test-aws.ts';
import { clusterClient } from '../cluster/cluster-client.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { openAuditStage } from './audit-stage.ts';
import { narrator } from './narrator.ts';
import { pushFiles, watchPush } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, targetsOf } from './stage.ts';
import { until } from './until.ts';

const skip = process.env['TRUEUP_KUBECONFIG']
  ? 'TRUEUP_KUBECONFIG is set: no control plane is started, and there is no audit log'
  : false;

/** The deployed functions, and the audit log that a real API server wrote (issue 6). No sweep is due in all that time. */
test(
  'an edit is recorded by the audit path, with who it was, and healed',
  { skip, timeout: 300_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'trueup-audit-'));
    const progress = (line: string): void => t.diagnostic(line);
    const { aws } = await testAws();
    const stage = await openAuditStage({ fleet: 'audited', dir, aws, progress });
    t.after(async () => {
      await stage.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const { installation, plane } = stage;
    const clone = join(dir, 'clone');
    await cloneWorktree(installation.cloneUrlWithToken, clone);
    const records = recordsOf(installation);
    const kubectl = kubectlOf(installation.tools.kubectl, plane.kubeconfigPath);
    const { healed, observed } = targetsOf('local');
    const told = { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl };
    await watchPush(told, await pushFiles(told, 'first'), [healed, observed]);
    const { lines, passed } = stage.feed.seen;
    assert.ok(lines > 20, 'the API server logged what was applied');
    assert.equal(passed, 0, 'our own writes and those of the controllers pass no filter');

    await kubectl(
      '--context',
      'alice@audited',
      '-n',
      'storefront',
      'scale',
      'deployment/web',
      '--replicas=7',
    );
    const record = await until('a closed drift record', async () =>
      (await records.drifts(healed)).map(({ value }) => value).find(({ state }) => state === 'healed'),
    );
    assert.deepEqual(
      [record.drift.fields[0]?.path, record.who?.user, record.who?.verb, record.who?.addresses.length],
      ['spec.replicas', 'alice', 'patch', 1],
    );
    assert.match(record.who?.userAgent ?? '', /^kubectl\//);
    const kept = await records.store.get(`audit/local/${healed.application}.json.gz`);
    assert.match(kept?.text ?? '', /"user":"alice"/);
    const admin = await clusterClient(plane.kubeconfig);
    t.after(admin.close);
    const web = await admin.get('/apis/apps/v1/namespaces/storefront/deployments/web');
    assert.doesNotMatch(JSON.stringify(web?.['spec']), /"replicas":7/);
  },
);
