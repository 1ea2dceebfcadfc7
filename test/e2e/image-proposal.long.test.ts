import assert from 'node:assert/strict';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import * as z from 'zod';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { imageMemorySchema } from '../../core/model/image-memory.ts';
import { emitServiceEvent } from '../aws/emulator.ts';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { delivery, examplesOf } from '../fakes/github-delivery.ts';
import { git } from '../git/git-command.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { install, type Installation } from './installation.ts';
import { recordsOf } from './records.ts';
import { until } from './until.ts';

const registry = '000000000000.dkr.ecr.us-east-1.amazonaws.com';
const branch = 'trueup/images/proposal/config/all';

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: proposed}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
  images:
    - {image: ${registry}/shop, policy: {semver: {range: 1.x}}}
`,
  'apps/shop/kustomization.yaml': `resources: [shop.yaml]
images:
  - name: shop
    newName: ${registry}/shop
    newTag: 1.0.0
`,
  'apps/shop/shop.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
`,
});

const sideSchema = z.looseObject({ repo: z.looseObject({}) });
const closedSchema = z.looseObject({
  repository: z.looseObject({}),
  pull_request: z.looseObject({ head: sideSchema, base: sideSchema }),
});

/** The word that a pull request of ours was merged, as GitHub sends it. */
async function tellMerged({ clients, output, hookUrl, git: host, repository }: Installation): Promise<void> {
  const client = new SecretsManagerClient(clients);
  const SecretId = `${output('hookSecretPrefix')}/github`;
  const { SecretString: secret = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  const [example] = examplesOf('pull_request').filter(({ action }) => action === 'closed');
  assert.ok(example !== undefined);
  const url = host.url(repository);
  const fullName = new URL(url).pathname.slice(1).replace(/\.git$/, '');
  const own = { full_name: fullName, clone_url: url, html_url: url.replace(/\.git$/, '') };
  const { repository: named, pull_request: pull } = closedSchema.parse(example);
  const end = (side: typeof pull.head, ref: string) => ({ ...side, ref, repo: { ...side.repo, ...own } });
  const payload = {
    ...example,
    repository: { ...named, ...own },
    pull_request: { ...pull, head: end(pull.head, branch), base: end(pull.base, 'main') },
  };
  const signed = delivery({ event: 'pull_request', body: JSON.stringify(payload), secret });
  const headers = Object.entries(signed.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  const answer = await fetch(hookUrl, { method: 'POST', headers, body: JSON.stringify(payload) });
  assert.equal(answer.status, 202, await answer.text());
}

/** From the registry's events to one pull request, its merge, and the cluster; with the rights the functions really have. */
test('images in ECR are proposed, kept current, merged and applied', { timeout: 600_000 }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'trueup-proposal-'));
  const cluster = await testCluster('proposal');
  const { namespace } = cluster;
  const { aws } = await testAws();
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(namespace))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const world = new HostWorld();
  const api = new OpenApi('github');
  const host = await startHostServer({ prefix: '/api/v3', routes: gitHubRoutes(world, api), api });
  const installation = await install({
    fleet: 'proposal',
    dir,
    from,
    clusters: [{ name: 'local', labels: {}, cluster }],
    progress: (line) => t.diagnostic(line),
    aws,
    repository: { images: { pullRequest: {} }, host: { apiUrl: `${host.origin}/api/v3` } },
  });
  t.after(async () => {
    await installation.stop();
    await cluster.stop();
    await host[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const pushed = async (tag: string) => {
    const detail = {
      result: 'SUCCESS',
      'action-type': 'PUSH',
      'repository-name': 'shop',
      'image-tag': tag,
      'image-digest': `sha256:${'ab'.repeat(32)}`,
    };
    await emitServiceEvent(aws, { source: 'aws.ecr', detailType: 'ECR Image Action', detail });
    await until(`${tag} proposed`, async () =>
      world.pulls.find(({ title, state }) => state === 'open' && title === `Set shop to ${tag}`),
    );
  };
  await pushed('1.1.0');
  await pushed('1.2.0');
  assert.deepEqual(
    world.pulls.map(({ number, into, branch: head }) => [number, into, head]),
    [[1, 'main', branch]],
  );
  await git(clone, ['fetch', '--quiet', 'origin']);
  const range = `origin/main..origin/${branch}`;
  assert.equal(await git(clone, ['log', '--format=%an: %s', range]), 'trueup: Set shop to 1.2.0');
  const [pull] = world.pulls;
  assert.ok(pull !== undefined);
  assert.match(pull.body, /`apps\/shop\/kustomization\.yaml:5`/);

  await git(clone, ['push', '--quiet', 'origin', `origin/${branch}:main`]);
  pull.state = 'merged';
  await tellMerged(installation);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/shop`;
  await until('1.2.0 on the cluster', async () => {
    const found = await cluster.admin.get(path).catch(() => ({}));
    const seen = at(found, 'spec', 'template', 'spec', 'containers', 0, 'image');
    return seen === `${registry}/shop:1.2.0` ? seen : undefined;
  });
  const { store } = recordsOf(installation);
  const memory = await until('the merge remembered', async () => {
    const found = (await readDocument(store, keys.images('config'), imageMemorySchema))?.value;
    return found?.policies['proposed:shop']?.last === '1.2.0' ? found : undefined;
  });
  assert.deepEqual(memory.proposals, {});
  assert.deepEqual(host.complaints, []);
});
