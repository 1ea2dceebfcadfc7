import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
import { testAws } from '../aws/test-aws.ts';
import { localAccount, type LocalAws } from '../aws/local-aws.ts';
import { at, clusterClient } from '../cluster/cluster-client.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { EksMember, makeClusterRole } from './eks-fleet.ts';
import { install, type Installation } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, trueup, type Stage } from './stage.ts';
import { until } from './until.ts';

const otherAccount = '222222222222';
const externalId = 'trueup-fleet-of-four';
const ownRegion = 'us-east-1';
const otherRegion = 'eu-west-1';

const files = {
  'applications/web.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: web}
spec:
  source: {path: web, substitute: {labels: {TIER: tier}}}
  clusters: {selector: {matchLabels: {stage: prod}}}
  namespace: default
`,
  'web/web.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {tier: "\${TIER}"}
`,
};

interface Members {
  readonly east: EksMember;
  readonly stopped: EksMember;
  readonly west: EksMember;
  readonly wrong: EksMember;
}

async function startMembers(aws: LocalAws, progress: (line: string) => void): Promise<Members> {
  const own = { account: localAccount, region: ownRegion, progress };
  const other = { account: otherAccount, region: otherRegion, progress };
  const [east, stopped, west, wrong] = await Promise.all([
    EksMember.start(aws, { ...own, name: 'east' }),
    EksMember.start(aws, { ...own, name: 'stopped' }),
    EksMember.start(aws, { ...other, name: 'west' }),
    EksMember.start(aws, { ...other, name: 'wrong' }),
  ]);
  return { east, stopped, west, wrong };
}

/** `west` has not the tags yet that are looked for; of `wrong` EKS tells another authority than that of its certificate. */
async function openStage(t: TestContext): Promise<{ stage: Stage; members: Members }> {
  const progress = (line: string) => t.diagnostic(line);
  const dir = await mkdtemp(join(tmpdir(), 'trueup-four-'));
  const { aws } = await testAws();
  const members = await startMembers(aws, progress);
  const { east, stopped, west, wrong } = members;
  t.after(async () => {
    await Promise.all(Object.values(members).map(async ({ plane }) => plane.stop()));
    await rm(dir, { recursive: true, force: true });
  });
  const roleArn = await makeClusterRole(aws, { account: otherAccount, trusts: localAccount, externalId });
  await Promise.all([
    east.appear({}),
    west.appear({ team: 'other' }),
    stopped.appear({ trueup: 'yes', 'trueup/stage': 'prod', 'trueup/tier': 'own' }),
    wrong.appear({ trueup: 'yes', 'trueup/stage': 'prod', 'trueup/tier': 'none' }, east.plane.caFile),
  ]);
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const labels = { stage: 'prod', tier: 'declared' };
  const found = { tags: { trueup: 'yes' }, labelsFromTags: 'trueup/' };
  const overrides = {
    clusters: [{ name: 'east', labels, access: { type: 'eks' as const, arn: east.arn } }],
    discovery: [found, { ...found, roleArn, externalId, region: otherRegion, namePrefix: 'eu-' }],
  };
  const installation = await install({ fleet: 'four', dir, from, clusters: [], progress, aws, overrides });
  t.after(() => installation.stop());
  const own = [installation.output('reconcileRole'), installation.output('sweepRole')];
  await Promise.all([east.admit(...own), stopped.admit(...own), west.admit(roleArn), wrong.admit(roleArn)]);
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, east.plane.kubeconfigPath);
  const records = recordsOf(installation);
  const stage = { installation, records, clone, narrator: narrator(progress), cluster: 'east', kubectl };
  return { stage, members };
}

async function sweepFleetNow({ clients, output }: Installation): Promise<void> {
  const request = { version: 1, scope: 'fleet', requestedBy: 'test' };
  await new SQSClient(clients).send(
    new SendMessageCommand({ QueueUrl: output('sweepQueue'), MessageBody: JSON.stringify(request) }),
  );
}

/** What the application has on a cluster, as its own administrator sees it. */
async function waitForTier({ plane }: EksMember, tier: string): Promise<void> {
  const admin = await clusterClient(plane.kubeconfig);
  const path = '/api/v1/namespaces/default/configmaps/web';
  await admin.until(path, (object) => at(object, 'data', 'tier') === tier, 240);
  await admin.close();
}

async function waitForCheck({ records }: Stage, cluster: string, reason: RegExp | undefined): Promise<void> {
  const what = `${cluster} ${reason === undefined ? 'Synced' : 'Unknown'}`;
  await until(
    what,
    async () => {
      const { sync, reason: told = '' } = (await records.check(cluster))?.targets['web'] ?? {};
      const isSo = reason === undefined ? sync === 'Synced' : sync === 'Unknown' && reason.test(told);
      return isSo ? true : undefined;
    },
    { seconds: 240, hint: async () => JSON.stringify(await records.check(cluster)) },
  );
}

const refused = /the connection was refused/;
const untrusted = /its certificate was refused .*; correct the CA of this cluster/;
const gone = /there is no EKS cluster arn:aws:eks:us-east-1:000000000000:cluster\/stopped any more/;

/** Issue 6: what it must show of clusters. EKS's own token, its signature, role and access entry, are checked for real. */
test(
  'two accounts, two regions, four clusters: one stopped, one with a wrong CA',
  { timeout: 900_000 },
  async (t) => {
    const { stage, members } = await openStage(t);
    const { installation, records } = stage;
    const { east, stopped, west, wrong } = members;

    await pushFiles(stage, 'web: first', { 'web/note.txt': 'nothing to apply' });
    await sweepFleetNow(installation);
    await Promise.all([waitForTier(east, 'declared'), waitForTier(stopped, 'own')]);
    await stopped.plane.stopApiserver();

    // Added after the last push, in another account and region.
    await west.appear({ trueup: 'yes', 'trueup/stage': 'prod', 'trueup/tier': 'silver' });
    await sweepFleetNow(installation);
    await waitForTier(west, 'silver');
    await west.appear({ trueup: 'yes', 'trueup/stage': 'prod', 'trueup/tier': 'gold' });
    await sweepFleetNow(installation);
    await waitForTier(west, 'gold');

    await sweepFleetNow(installation);
    await Promise.all([
      waitForCheck(stage, 'east', undefined),
      waitForCheck(stage, 'eu-west', undefined),
      waitForCheck(stage, 'stopped', refused),
      waitForCheck(stage, 'eu-wrong', untrusted),
    ]);
    const status = await trueup(installation, 'status');
    t.diagnostic(`trueup status\n${status}`);
    assert.deepEqual(
      status
        .split('\n')
        .slice(1, 5)
        .map((line) => line.split(/ +/)[0]),
      ['east', 'eu-west', 'eu-wrong', 'stopped'],
    );
    assert.match(status, /^stopped\/web: .*the connection was refused/m);
    assert.match(status, /^eu-wrong\/web: .*its certificate was refused/m);

    await stopped.delete();
    await sweepFleetNow(installation);
    await waitForCheck(stage, 'stopped', gone);
    assert.equal((await records.desired({ cluster: 'stopped', application: 'web' }))?.state, 'present');
    const clusters = await trueup(installation, 'clusters');
    t.diagnostic(`trueup clusters\n${clusters}`);
    const states = clusters
      .split('\n')
      .slice(1, 5)
      .map((line) => line.split(/ {2,}/));
    assert.deepEqual(
      states.map(([name, account, region, , state]) => [name, account, region, state]),
      [
        ['east', localAccount, ownRegion, 'Reachable'],
        ['eu-west', otherAccount, otherRegion, 'Reachable'],
        ['eu-wrong', otherAccount, otherRegion, 'Unreachable'],
        ['stopped', localAccount, ownRegion, 'Missing'],
      ],
    );
    await trueup(installation, 'clusters', '--forget', 'stopped', '--reason', 'it was deleted');
    await sweepFleetNow(installation);
    await until('stopped given up', async () => {
      const pointer = await records.desired({ cluster: 'stopped', application: 'web' });
      return pointer?.state === 'gone' ? true : undefined;
    });
    assert.equal(wrong.account, otherAccount);
  },
);
