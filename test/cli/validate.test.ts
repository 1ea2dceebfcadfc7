import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { bareEnvironment } from './bare-environment.ts';

const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
after(() => rm(root, { recursive: true, force: true }));

/** Without AWS: no region, no credentials. */
function trueup(...args: readonly string[]) {
  const program = join(import.meta.dirname, '../../cli/trueup.ts');
  const env = { ...bareEnvironment, HOME: root, INIT_CWD: root };
  return spawnSync(process.execPath, [program, ...args], { cwd: root, env, encoding: 'utf8' });
}

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

const application = (name: string, needed: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}}
  namespace: ${name}
  clusters: {names: [east]}
  dependsOn: [{application: ${needed}}]
`;

it('a repository that init began is valid, and init leaves alone what is there', () => {
  const begun = trueup('init', 'begun');
  assert.deepEqual([begun.status, begun.stderr], [0, '']);
  assert.match(begun.stdout, /begun\/applications\/storefront\.yaml\n[^]*trueup validate --dir begun/);
  const { status, stdout } = trueup('validate', '--dir', 'begun');
  assert.deepEqual([status, stdout], [0, '2 applications are valid\n']);
  const ssh = trueup('init', 'ssh', '--repository', 'git@git.example:acme/config.git', '--cluster', 'east');
  assert.deepEqual([ssh.status, ssh.stderr], [0, '']);
  const configured = trueup('validate', '--dir', 'ssh', '--config', 'ssh/cdk/stack.json');
  assert.deepEqual([configured.status, configured.stdout], [0, '2 applications are valid\n']);
  const wrong = trueup('init', 'wrong', '--repository', 'ftp://git.example/config');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^trueup: --repository ftp:.*must be https:\/\/ or ssh:\/\//s);
  const again = trueup('init', 'begun');
  assert.equal(again.status, 2);
  assert.match(again.stderr, /begun is not empty \(applications\)\. Name a folder that is empty/);
});

it('names file and line of every fault, and ends with 1', async () => {
  await write({
    'bad/applications/a.yaml': application('a', 'b'),
    'bad/applications/b.yaml': application('b', 'a'),
    'bad/applications/c.yaml': `${application('c', 'elsewhere')}  drfit: heal\n`,
    'bad/applications/d.yaml': application('d', 'elsewhere'),
    'bad/apps/a/a.yaml': 'kind: [\n',
    'bad/apps/b/b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
    'bad/apps/d/d.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n',
    'stack.yaml': `repositories: [{name: config, url: 'https://git.example/config.git'}]
clusters: [{name: west, access: {type: eks, name: west}}]
`,
  });
  const { status, stdout, stderr } = trueup('validate', '--dir', 'bad');
  assert.equal(status, 1);
  assert.match(stdout, /^bad\/applications\/c\.yaml:9: spec\.drfit: there is no such field$/m);
  assert.match(stdout, /^bad\/apps\/a\/a\.yaml:\d/m);
  assert.match(stdout, /^bad\/applications\/b\.yaml:8: spec\.dependsOn: the application waits for itself/m);
  assert.match(stderr, /^bad\/applications\/d\.yaml:8: spec\.dependsOn: elsewhere is not in this checkout/m);
  const configured = trueup('validate', '--dir', 'bad', '--config', 'stack.yaml');
  assert.equal(configured.status, 1);
  assert.match(
    configured.stdout,
    /^bad\/applications\/a\.yaml:7: spec\.clusters\.names\.0: cluster "east" is not/m,
  );
});
