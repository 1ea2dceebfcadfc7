import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readPromoted } from '../../core/promoted-book.ts';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { git } from '../git/git-command.ts';
import { owner } from '../git/repository-payload.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { install } from './installation.ts';
import { narrator } from './narrator.ts';
import { pushFiles, watchRun } from './push-chapter.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, trueup, type Stage } from './stage.ts';
import { tellPull } from './tell-pull.ts';
import { until } from './until.ts';

const branchName = /^trueup\/promote\/promotion-[0-9a-f]{8}\/prod$/;
const application = (name: string, path: string, namespace: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: ${path}}
  clusters: {names: [local]}
  namespace: ${namespace}
`;
const overlay = (tag: string, comment = '') => `resources: [../../base]
images:${comment}
  - {name: shop, newTag: "${tag}"}
`;

/** Dev and staging render one folder, at the commit that each has; prod has an overlay of its own. */
const filesFor = (namespace: string) => ({
  'environments/dev/shop.yaml': application('shop-dev', 'apps/shop', `${namespace}-dev`),
  'environments/staging/shop.yaml': application('shop-staging', 'apps/shop', `${namespace}-staging`),
  'environments/prod/shop.yaml': application('shop-prod', 'apps/prod', `${namespace}-prod`),
  'apps/shop/kustomization.yaml': overlay('1'),
  'apps/prod/kustomization.yaml': overlay('1', ' # what customers get'),
  'base/kustomization.yaml': 'resources: [shop.yaml]\n',
  'base/shop.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
`,
});

/** Push, first environment healthy, gates, the next by pointer, and the last by a pull request that people approve and merge. */
test('a commit goes through three environments', { timeout: 900_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-promotion-'));
  const cluster = await testCluster('promotion');
  const { namespace, admin } = cluster;
  const environments = ['dev', 'staging', 'prod'];
  for (const name of environments) {
    const metadata = { name: `${namespace}-${name}` };
    await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(namespace))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const world = new HostWorld();
  const bare = join(dir, 'git', owner.login, 'config.git');
  world.headOf = (name) => execFileSync('git', ['-C', bare, 'rev-parse', name], { encoding: 'utf8' }).trim();
  const api = new OpenApi('github');
  const host = await startHostServer({ prefix: '/api/v3', routes: gitHubRoutes(world, api), api });
  t.after(async () => {
    for (const name of environments) await admin.remove(`/api/v1/namespaces/${namespace}-${name}`);
    await cluster.stop();
    await host[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });
  const { aws } = await testAws();
  const progress = (line: string) => t.diagnostic(line);
  const fields = ['images[name=shop].newTag'];
  const files = [{ from: 'apps/shop/kustomization.yaml', to: 'apps/prod/kustomization.yaml', fields }];
  const installation = await install({
    fleet: 'promotion',
    dir,
    from,
    clusters: [{ name: 'local', labels: {}, cluster }],
    progress,
    aws,
    repository: { applications: 'environments/dev' },
    repositories: (own) => [
      {
        ...own,
        name: 'staging',
        applications: 'environments/staging',
        promotion: { by: 'pointer', from: 'config', soak: '1m', approval: true },
      },
      {
        ...own,
        name: 'prod',
        applications: 'environments/prod',
        host: { apiUrl: `${host.origin}/api/v3` },
        promotion: { by: 'pullRequest', from: 'staging', reviews: 1, files },
      },
    ],
  });
  t.after(() => installation.stop());
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const records = recordsOf(installation);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const stage: Stage = {
    installation,
    records,
    clone,
    narrator: narrator(progress),
    cluster: 'local',
    kubectl,
  };
  const target = (name: string) => ({ cluster: 'local', application: `shop-${name}` });
  const tagOf = async (name: string) => {
    const path = `/apis/apps/v1/namespaces/${namespace}-${name}/deployments/shop`;
    return at(await admin.get(path), 'spec', 'template', 'spec', 'containers', 0, 'image');
  };
  const shows = async (what: RegExp) => {
    let said = '';
    const look = async () => {
      said = await trueup(installation, 'environments');
      return what.test(said) ? said : undefined;
    };
    return until(`environments: ${what}`, look, { seconds: 240, hint: async () => said });
  };
  const statuses = () =>
    world.statuses.flatMap(({ context, state, description }) =>
      context === 'trueup/promotion' ? [`${state}: ${description}`] : [],
    );

  const push = await pushFiles(stage, 'shop: 2', { 'apps/shop/kustomization.yaml': overlay('2') });
  await watchRun(stage, push, target('dev'));
  const short = push.sha.slice(0, 7);
  progress(
    await shows(new RegExp(`staging +config .*${short}: waits for .trueup promote --environment staging`)),
  );
  assert.deepEqual([await tagOf('dev'), await tagOf('staging')], ['shop:2', undefined]);
  assert.deepEqual(world.pulls, []);

  const approved = await trueup(
    installation,
    'promote',
    '--environment',
    'staging',
    '--reason',
    'looks good',
  );
  assert.match(approved, new RegExp(`^approved ${short} for staging`));
  await watchRun(stage, push, target('staging'));
  assert.deepEqual([await tagOf('staging'), await tagOf('prod')], ['shop:2', 'shop:1']);

  const pull = await until('the pull request', async () => world.pulls[0], { seconds: 240 });
  assert.deepEqual([pull.into, pull.title], ['main', `Promote ${short} from staging to prod`]);
  assert.match(pull.branch, branchName);
  await git(clone, ['fetch', '--quiet', 'origin']);
  const change = await git(clone, ['diff', '--unified=0', 'origin/main', `origin/${pull.branch}`]);
  const lines = change.split('\n').filter((line) => /^[-+] /.test(line));
  assert.deepEqual(lines, ['-  - {name: shop, newTag: "1"}', '+  - {name: shop, newTag: "2"}']);
  progress(await shows(/prod +staging .*waits for the merge of/));
  await until('no approval yet', async () => statuses().find((one) => one === 'pending: 0 of 1 approvals'));

  world.reviews.push({ pull: pull.number, by: 'grace', verdict: 'approved', sha: pull.sha, mayWrite: true });
  await tellPull(installation, 'synchronize', pull);
  await until('its status is green', async () =>
    statuses().at(-1) === 'success: staging is good with it' ? true : undefined,
  );
  await git(clone, ['push', '--quiet', 'origin', `origin/${pull.branch}:main`]);
  pull.state = 'merged';
  await tellPull(installation, 'closed', pull);
  await until('prod has it', async () => ((await tagOf('prod')) === 'shop:2' ? true : undefined), {
    seconds: 240,
  });
  const { commit } = await until('the promotion recorded', async () => {
    const known = await readPromoted(records.store, 'prod');
    return known.commit === undefined ? undefined : known;
  });
  assert.deepEqual([commit?.sha, commit?.by], [push.sha, 'grace']);
  progress(await shows(/prod +staging .* grace +-$/m));
  await until('prod healthy', async () =>
    /local +shop-prod .*Healthy/.test(await trueup(installation, 'status', '--app', 'shop-prod'))
      ? true
      : undefined,
  );
  assert.equal(world.pulls.length, 1);
  assert.deepEqual(host.complaints, []);
});
