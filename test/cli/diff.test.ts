import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findTools } from '../cluster/tools.ts';
import { git } from '../git/git-command.ts';
import { bareEnvironment } from './bare-environment.ts';

const tools = await findTools({ progress: () => undefined });
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const clone = join(root, 'config');

const application = (name: string, clusters: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}, substitute: {}}
  namespace: ${name}
  clusters: ${clusters}
`;
const deployment = (replicas: number, image = 'a:1') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: "${image}"}]}}
`;
const secret = (value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {p: ${value}}\n`;
const stackConfig = `repositories: [{name: config, url: 'https://git.example/config.git', policies: policies}]
clusters:
  - {name: dev, labels: {stage: dev}, variables: {host: dev.example}, access: {type: eks, name: dev}}
  - {name: prod, labels: {stage: prod}, variables: {host: prod.example}, access: {type: eks, name: prod}}
`;

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(clone, name)), { recursive: true });
    await writeFile(join(clone, name), text);
  }
}

before(async () => {
  await mkdir(clone);
  await git(clone, ['init', '--quiet', '--initial-branch=main']);
  await write({
    'applications/shop.yaml': application('shop', '{names: [prod]}'),
    'applications/web.yaml': application('web', '{selector: {matchLabels: {}}}'),
    'apps/shop/shop.yaml': deployment(3),
    'apps/shop/secret.yaml': secret('hunter2-old'),
    'apps/web/kustomization.yaml': 'resources: [web.yaml]\n',
    'apps/web/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {host: "${host}"}\n',
    'stack.yaml': stackConfig,
  });
  await git(clone, ['add', '--all']);
  await git(clone, ['commit', '--quiet', '--message', 'Start']);
  await git(clone, ['checkout', '--quiet', '-b', 'feature']);
  await write({
    'apps/shop/shop.yaml': deployment(1, 'a:2'),
    'apps/shop/secret.yaml': secret('hunter2-new'),
  });
  await git(clone, ['commit', '--quiet', '--all', '--message', 'Change']);
});
after(() => rm(root, { recursive: true, force: true }));

function diff(...args: readonly string[]) {
  const program = join(import.meta.dirname, '../../cli/trueup.ts');
  const env = { ...bareEnvironment, PATH: tools.path, HOME: root, INIT_CWD: root };
  const argv = [program, 'diff', '--dir', 'config', ...args];
  return spawnSync(process.execPath, argv, { cwd: root, env, encoding: 'utf8' });
}
const withConfig = ['--config', 'config/stack.yaml'];

describe('trueup diff', () => {
  it('gives the comment: what changes where, and what to look at twice', async () => {
    const { status, stdout, stderr } = diff(
      '--base',
      'main',
      '--head',
      'feature',
      ...withConfig,
      '-o',
      'markdown',
    );
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /trueup: 1 application on 1 cluster/);
    assert.match(stdout, /`Deployment shop` has 1 replicas instead of 3/);
    assert.match(stdout, /spec\.template\.spec\.containers\[name=shop\]\.image\n- {5}"a:1"\n\+ {5}"a:2"/);
    assert.match(stdout, /data\.p\n- {5}"hmac:/);
    const shown = stdout + diff('--base', 'main', '--head', 'feature', ...withConfig, '-o', 'json').stdout;
    for (const value of ['hunter2', Buffer.from('hunter2-new').toString('base64')])
      assert.ok(!shown.includes(value));
  });

  it('compares the files of the checkout, committed or not, and leaves them and the index alone', async () => {
    await write({
      'apps/web/web.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {host: "x-${host}"}\n',
    });
    const earlier = await git(clone, ['status', '--porcelain']);
    const { status, stdout } = diff('--base', 'feature', ...withConfig, '-o', 'json');
    assert.equal(status, 0);
    const { targets } = JSON.parse(stdout);
    assert.deepEqual(
      targets.map((target: Record<string, unknown>) => [
        target['cluster'],
        target['application'],
        target['kind'],
      ]),
      [
        ['dev', 'web', 'changed'],
        ['prod', 'web', 'changed'],
      ],
    );
    assert.match(stdout, /"from": "prod\.example",\s+"to": "x-prod\.example"/);
    assert.equal(await git(clone, ['status', '--porcelain']), earlier);
    await git(clone, ['checkout', '--quiet', '--', '.']);
  });

  it('says what cannot be rendered, with file and line, and ends with 2', async () => {
    await write({
      'apps/shop/shop.yaml': 'kind: [\n',
      'applications/web.yaml': 'kind: Nothing\n',
      'policies/a.yaml': 'kind: ValidatingAdmissionPolicy\n',
    });
    const { status, stdout, stderr } = diff('--base', 'main', ...withConfig, '-o', 'markdown');
    assert.equal(status, 2);
    assert.match(stderr, /apps\/shop\/shop\.yaml:\d/);
    assert.match(stderr, /applications\/web\.yaml:1/);
    // A policy that cannot be read might have refused anything.
    assert.match(stderr, /policies\/a\.yaml:1/);
    assert.match(stdout, /Cannot be rendered; stays as it is/);
    await git(clone, ['checkout', '--quiet', '--', '.']);
  });

  it('says what schemas and policies refuse, and ends with 1', async () => {
    await write({
      'apps/shop/shop.yaml': deployment(3).replace('replicas:', 'replica:'),
      'stack.yaml': `${stackConfig}policies:
  - {name: named, match: [{kind: Deployment}], expression: "'team' in object.metadata.labels", message: name a team, severity: warn}
`,
      'policies/a.yaml': `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: images}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: ['*'], resources: [deployments]}]}
  validations: [{expression: 'object.spec.template.spec.containers.all(c, c.image.contains("@sha256:"))', message: pin it}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: images}
spec: {policyName: images, validationActions: [Deny]}
`,
    });
    const { status, stdout } = diff('--base', 'main', ...withConfig, '-o', 'markdown');
    assert.equal(status, 1);
    for (const line of [
      '- ❌ `shop` on `prod`: `Deployment shop` spec.replica is not a field; did you mean replicas? ',
      '- ❌ `shop` on `prod`: `Deployment shop` (policy `images`) pin it\n',
      '- ⚠️ `shop` on `prod`: `Deployment shop` (policy `named`) name a team',
      "the newest known, and by 1 rule and 1 of Kubernetes' admission policies._\n",
    ])
      assert.ok(stdout.includes(line), stdout);
    const wrong = diff('--base', 'main', '--kubernetes-version', 'latest');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--kubernetes-version latest is no version of Kubernetes/);
    await rm(join(clone, 'policies'), { recursive: true });
    await git(clone, ['checkout', '--quiet', '--', '.']);
  });

  it('names a revision that is not there, and a folder that is no repository', async () => {
    const none = diff('--base', 'nowhere');
    assert.equal(none.status, 2);
    assert.match(none.stderr, /nowhere: is no commit of this repository/);
    const option = diff('--base', '--output=x');
    assert.equal(option.status, 2);
    assert.equal(await readFile(join(clone, 'apps/shop/shop.yaml'), 'utf8'), deployment(1, 'a:2'));
  });
});
