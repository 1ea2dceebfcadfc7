import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openStage } from './open-stage.ts';
import { pushFiles, type Push } from './push-chapter.ts';
import { startStatusApi } from './status-api.ts';
import { until } from './until.ts';

const filesFor = (namespace: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: told}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: ${namespace}
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

/** From `git push` to the status that stands at the commit, with the rights that the functions really have. */
test('what becomes of commits is told to the Git host', { timeout: 600_000 }, async (t) => {
  const api = await startStatusApi('may-tell');
  t.after(() => api.stop());
  // The one cluster is labelled with the name of the stage.
  const status = { deployments: true, environmentLabel: 'test' };
  const repository = { host: { apiUrl: api.url, tokenSecret: 'status/host' }, status };
  const opened = await openStage('status', [], undefined, { files: filesFor, repository });
  t.after(() => opened.close());
  const { stage } = opened;
  const secrets = new SecretsManagerClient(stage.installation.clients);
  await secrets.send(new CreateSecretCommand({ Name: 'status/host', SecretString: 'may-tell' }));
  const told = async ({ sha, startedAt }: Push, name: string, state: string) => {
    const found = await until(`${name} ${state} at ${sha}`, async () =>
      api.told.find((one) => one.sha === sha && one.name === name && one.state === state),
    );
    t.diagnostic(`git push → ${name} ${state}: ${found.at - Date.parse(startedAt)} ms`);
    return found.description;
  };

  const first = await pushFiles(stage, 'told: first', { 'README.md': 'told' });
  assert.equal(await told(first, 'trueup/local', 'success'), '1 application healthy');
  assert.equal(await told(first, 'trueup/render', 'success'), '1 application for 1 cluster');
  await told(first, 'status', 'success');

  const broken = await pushFiles(stage, 'told: broken', { 'apps/shop/more.yaml': 'kind: [' });
  assert.match(await told(broken, 'trueup/render', 'failure'), /^apps\/shop\/more\.yaml:\d+: cannot be read/);
  assert.match(await told(broken, 'trueup/local', 'failure'), /^told: stays at /);

  // An object that the API server refuses.
  const refused = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 99999}]}\n';
  const invalid = await pushFiles(stage, 'told: invalid', { 'apps/shop/more.yaml': refused });
  assert.match(await told(invalid, 'trueup/local', 'failure'), /^told: 1 objects failed or are blocked/);
  await told(invalid, 'status', 'failure');

  const mended = await pushFiles(stage, 'told: mended', {
    'apps/shop/more.yaml': refused.replace('99999', '80'),
  });
  await told(mended, 'trueup/local', 'success');
  await told(mended, 'status', 'success');
  const states = (name: string) =>
    api.told.filter((one) => one.sha === mended.sha && one.name === name).map(({ state }) => state);
  assert.deepEqual(states('trueup/render'), ['success'], 'nothing is told twice');
  assert.equal(states('trueup/local').at(-1), 'success');
});
