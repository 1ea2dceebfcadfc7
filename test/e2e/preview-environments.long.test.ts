import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../cluster/cluster-client.ts';
import { git } from '../git/git-command.ts';
import { commitFiles, push } from '../git/worktree.ts';
import { gitHubRoutes } from '../host-apis/github-api.ts';
import { startHostServer } from '../host-apis/host-server.ts';
import { HostWorld } from '../host-apis/host-world.ts';
import { OpenApi } from '../host-apis/openapi.ts';
import { openStage } from './open-stage.ts';
import { trueup } from './stage.ts';
import { tellPull } from './tell-pull.ts';
import { until } from './until.ts';

const filesFor = (name: string) => ({
  [`applications/${name}.yaml`]: `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source:
    path: app
    substitute: {variables: {HOST: shop.example.com}}
  clusters: {names: [local]}
  namespace: ${name}
  previewEnvironments:
    label: preview
    variables: {HOST: 'pr-\${PR_NUMBER}.example.com'}
    url: https://pr-\${PR_NUMBER}.example.com
`,
  'app/kustomization.yaml': `namespace: ${name}
resources: [map.yaml]
`,
  'app/map.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {host: '\${HOST}', colour: red}
`,
});

/** From GitHub's webhook to a namespace of its own and back, with the rights the functions really have. */
test('a pull request runs on the cluster until it is closed', { timeout: 600_000 }, async (t) => {
  const world = new HostWorld();
  const api = new OpenApi('github');
  const host = await startHostServer({ prefix: '/api/v3', routes: gitHubRoutes(world, api), api });
  t.after(() => host[Symbol.asyncDispose]());
  const repository = { environments: { clusters: ['local'] }, host: { apiUrl: `${host.origin}/api/v3` } };
  const opened = await openStage('environments', [], undefined, { files: filesFor, repository });
  t.after(() => opened.close());
  const { stage, cluster } = opened;
  const { installation, clone } = stage;
  const name = cluster.namespace;
  const namespace = `${name}-pr-1`;
  await git(clone, ['checkout', '--quiet', '-b', 'feature/blue']);
  const mapOf = (colour: string) => filesFor(name)['app/map.yaml'].replace('red', colour);
  const pushed = async (colour: string) => {
    const sha = await commitFiles(clone, { 'app/map.yaml': mapOf(colour) }, colour);
    await push(clone, 'feature/blue');
    return sha;
  };
  const dataOf = async (home: string) => {
    const found = await cluster.admin.get(`/api/v1/namespaces/${home}/configmaps/shop`).catch(() => ({}));
    return at(found, 'data');
  };
  const shows = async (colour: string) =>
    until(`${colour} in ${namespace}`, async () => {
      const data = await dataOf(namespace);
      return at(data, 'colour') === colour ? data : undefined;
    });

  const pull = world.open({ branch: 'feature/blue', sha: await pushed('blue') });
  await tellPull(installation, 'opened', pull);
  pull.labels.push('preview');
  await tellPull(installation, 'labeled', pull);
  assert.deepEqual(await shows('blue'), { host: 'pr-1.example.com', colour: 'blue' });
  const [comment] = await until('a comment', async () =>
    world.comments.length > 0 ? world.comments : undefined,
  );
  assert.match(comment?.text ?? '', /-pr-1\*\* on `local` at <https:\/\/pr-1\.example\.com>, commit `/);
  assert.match(await trueup(installation, 'status'), new RegExp(`local +${namespace} `));

  pull.sha = await pushed('green');
  await tellPull(installation, 'synchronize', pull);
  await shows('green');
  assert.equal(world.comments.length, 1, 'one comment, kept current');

  pull.state = 'closed';
  await tellPull(installation, 'closed', pull);
  await until('its objects gone', async () => ((await dataOf(namespace)) === undefined ? true : undefined));
  // Ten minutes later a sweep asks for this run; a person may ask for it now.
  await trueup(installation, 'sync', '--app', namespace, '--cluster', 'local', '--confirm-prune', '1');
  await until('its namespace gone', async () => {
    const found = await cluster.admin.get(`/api/v1/namespaces/${namespace}`).catch(() => undefined);
    return found === undefined || at(found, 'metadata', 'deletionTimestamp') !== undefined ? true : undefined;
  });
  assert.ok(await cluster.admin.get(`/api/v1/namespaces/${name}`), 'and of nobody else');
  assert.deepEqual(host.complaints, []);
});
