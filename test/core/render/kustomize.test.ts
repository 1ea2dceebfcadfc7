import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import { DiskWorktree } from '../../../adapters/worktree.ts';
import { Stop } from '../../../core/errors.ts';
import { describeRef, refOf } from '../../../core/model/object.ts';
import { render } from '../../../core/render/render.ts';
import { findTools } from '../../cluster/tools.ts';
import { commitOf, type Files } from '../../fakes/memory-worktree.ts';

const tools = await findTools({ progress: () => undefined });
const renderers = await LocalRenderers.find(dirname(tools.kubectl));

let root = '';
/** Whoever is asked here was reached over the network. */
const requests: string[] = [];
const stranger = createServer((request, response) => {
  requests.push(request.url ?? '');
  response.end(deployment('stranger'));
});
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  stranger.listen(0, '127.0.0.1');
});
after(async () => {
  stranger.close();
  await rm(root, { recursive: true, force: true });
});

/** Files on disk; one whose text begins with `-> ` is a symlink. `outside` lies next to the tree. */
async function renderFiles(files: Files, path = 'overlays/prod') {
  const scratch = await mkdtemp(join(root, 'case-'));
  await mkdir(join(scratch, 'outside'));
  await writeFile(join(scratch, 'outside/secret.txt'), 'of somebody else');
  await writeFile(join(scratch, 'outside/kustomization.yaml'), 'resources: [a.yaml]');
  await writeFile(join(scratch, 'outside/a.yaml'), deployment('outside'));
  const directory = join(scratch, 'tree');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(directory, name));
    else await writeFile(join(directory, name), text);
  }
  const options = { hasSymlinks: false, fileBytes: 1_000_000, commit: commitOf('1'.repeat(40)) };
  await using worktree = new DiskWorktree({
    ...options,
    directory,
    scratch,
    materialize: async () => undefined,
  });
  return await render({ path, renderer: 'auto' }, worktree, renderers);
}

function deployment(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: ${name}, image: ${name}}]}
`;
}

const base = { 'base/kustomization.yaml': 'resources: [web.yaml]\n', 'base/web.yaml': deployment('web') };

test('overlays over a base in a folder beside, with components, generators and patches', async () => {
  const files = {
    ...base,
    'components/extra/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [extra.yaml]
`,
    'components/extra/extra.yaml': deployment('extra'),
    'overlays/prod/kustomization.yaml': `namespace: prod
resources: [../../base]
components: [../../components/extra]
configMapGenerator:
- {name: settings, files: [app.conf], literals: [URL=https://x.example/y]}
patches:
- {path: patch.yaml}
images: [{name: web, newName: registry.example/web}]
`,
    'overlays/prod/app.conf': 'a=1',
    'overlays/prod/patch.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n',
  };
  const { objects, origins, renderer, inputDigest } = await renderFiles(files);
  const names = objects.map((object) => describeRef(refOf(object)).replace(/-[a-z0-9]{10}$/, '-HASH')).sort();
  assert.deepEqual(names, ['ConfigMap prod/settings-HASH', 'Deployment prod/extra', 'Deployment prod/web']);
  assert.equal(renderer, 'kustomize');
  assert.deepEqual(new Set(Object.values(origins)), new Set(['overlays/prod/kustomization.yaml']));
  for (const file of Object.keys(files)) {
    // Each is an input: a comment more and the digest is another.
    const text = files[file as keyof typeof files];
    assert.notEqual((await renderFiles({ ...files, [file]: `${text}\n#` })).inputDigest, inputDigest, file);
  }
  assert.equal((await renderFiles({ ...files, 'elsewhere/x.yaml': 'x' })).inputDigest, inputDigest);
});

const overlay = (text: string) => ({ ...base, 'overlays/prod/kustomization.yaml': text });
const address = () => {
  const bound = stranger.address();
  return `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}/x.yaml`;
};
const at = (line: number) => `^Stop: overlays/prod/kustomization\\.yaml:${line}: `;

const refused: { why: string; files: () => Files; says: string }[] = [
  {
    why: 'a file over HTTP',
    files: () => overlay(`resources:\n- ${address()}\n`),
    says: `${at(2)}resources\\.0: http://.* is remote, and rendering has no network`,
  },
  {
    why: 'a base on a Git host',
    files: () => overlay('resources:\n- ../../base\n- https://token@git.example/x.git//base?ref=v1\n'),
    says: `${at(3)}resources\\.1: https://git\\.example/.* is remote`,
  },
  {
    why: 'a base in the short form',
    files: () => overlay('bases: [github.com/acme/web//base?ref=v1]'),
    says: `${at(1)}bases\\.0: github\\.com.* is remote`,
  },
  {
    why: 'a base over SSH',
    files: () => overlay('components: ["git@github.com:acme/web"]'),
    says: `${at(1)}components\\.0: git@.* is remote`,
  },
  {
    why: 'a field spelled as Go reads it too',
    files: () => overlay(`Resources: [${address()}]`),
    says: `${at(1)}Resources\\.0: .* is remote`,
  },
  {
    why: 'a patch over HTTP',
    files: () => overlay(`resources: [../../base]\npatches:\n- path: ${address()}\n`),
    says: `${at(3)}patches\\.0\\.path: .* is remote`,
  },
  {
    why: 'a generated file over HTTP',
    files: () => overlay(`configMapGenerator:\n- name: a\n  files: [key=${address()}]\n`),
    says: `${at(3)}configMapGenerator\\.0\\.files: .* is remote`,
  },
  {
    why: 'the configuration of a transformer over HTTP',
    files: () => ({
      ...overlay('resources: [../../base]\ntransformers: [t.yaml]'),
      'overlays/prod/t.yaml': `apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: ${address()}\n`,
    }),
    says: '^Stop: overlays/prod/t\\.yaml:4: path: .* is remote',
  },
  {
    why: 'a chart',
    files: () => overlay('helmCharts:\n- name: x\n'),
    says: `${at(1)}helmCharts: Helm charts are not rendered`,
  },
  {
    why: 'a plugin that is a program',
    files: () => ({
      ...overlay('resources: [../../base]\ntransformers: [t.yaml]'),
      'overlays/prod/t.yaml':
        'apiVersion: x.example/v1\nkind: Anything\nmetadata:\n  name: t\n  annotations: {config.kubernetes.io/function: "exec: {path: ./run.sh}"}\n',
      'overlays/prod/run.sh': '#!/bin/sh\ntouch /tmp/trueup-was-here\n',
    }),
    says: '^Stop: folder overlays/prod: cannot be built: .*plugin',
  },
  {
    why: 'a base out of the repository',
    files: () => overlay('resources: [../../../outside]'),
    says: `${at(1)}resources\\.0: \\.\\./\\.\\./\\.\\./outside leads out of the repository`,
  },
  {
    why: 'an absolute base',
    files: () => overlay('resources: [/etc]'),
    says: `${at(1)}resources\\.0: /etc leads out of the repository`,
  },
  {
    why: 'a base by a symlink out of the repository',
    files: () => ({ ...overlay('resources: [../../link]'), link: '-> ../outside' }),
    says: '^Stop: link: is a symlink that leaves the repository',
  },
  {
    why: 'a file of the machine',
    files: () => overlay('configMapGenerator:\n- {name: a, files: [../../../../../../../../etc/hostname]}'),
    says: '^Stop: folder overlays/prod: cannot be built: .*(security|not in or below)',
  },
  {
    why: 'a file out of the repository',
    files: () => overlay('secretGenerator:\n- {name: a, files: [../../../outside/secret.txt]}'),
    says: '^Stop: folder overlays/prod: cannot be built: .*(security|not in or below)',
  },
  {
    why: 'a file by a symlink out of the repository',
    files: () => ({
      ...overlay('configMapGenerator:\n- {name: a, files: [l.txt]}'),
      'overlays/prod/l.txt': '-> ../../../outside/secret.txt',
    }),
    says: '^Stop: overlays/prod/l\\.txt: is a symlink that leaves the repository',
  },
  {
    why: 'a file beside',
    files: () => overlay('resources: [../../base/web.yaml]'),
    says: `${at(1)}resources\\.0: .* is a file outside this folder.*make its folder a base`,
  },
  {
    why: 'what is not there',
    files: () => overlay('resources:\n- ../../base\n- missing.yaml\n'),
    says: `${at(3)}resources\\.1: missing\\.yaml is not in this commit`,
  },
  {
    why: 'a base without a kustomization',
    files: () => ({ ...overlay('resources: [../../plain]'), 'plain/a.yaml': deployment('a') }),
    says: '^Stop: folder plain: is built from, but has no kustomization\\.yaml',
  },
  {
    why: 'a kustomization that breaks',
    files: () => overlay('resources:\n  - a\n - b\n'),
    says: `${at(3)}cannot be read as YAML`,
  },
  {
    why: 'a resource that breaks',
    files: () => ({ ...overlay('resources: [../../base]'), 'base/web.yaml': 'kind: X\nspec:\n  a: b: c\n' }),
    says: '^Stop: base/web\\.yaml:3: cannot be read as YAML',
  },
  {
    why: 'a patch for nothing',
    files: () =>
      overlay(
        'resources: [../../base]\npatches:\n- patch: "[{op: remove, path: /spec/x}]"\n  target: {kind: Deployment}\n',
      ),
    says: '^Stop: folder overlays/prod: cannot be built: ',
  },
  {
    why: 'bases in a circle',
    files: () => ({
      ...overlay('resources: [../../a]'),
      'a/kustomization.yaml': 'resources: [../overlays/prod]',
    }),
    says: '^Stop: folder overlays/prod: cannot be built: .*cycle',
  },
  {
    why: 'nothing',
    files: () => overlay('resources: []'),
    says: '^Stop: folder overlays/prod: (gives no objects|cannot be built: kustomization.yaml is empty)',
  },
];
for (const { why, files, says } of refused) {
  test(`kustomize is refused ${why}`, async () => {
    await assert.rejects(renderFiles(files()), (error: Error) => {
      assert.ok(error instanceof Stop, `${error.name}: ${error.message}`);
      assert.match(String(error), new RegExp(says, 's'));
      assert.ok(!error.message.includes(root) && !error.message.includes('token@'), error.message);
      return true;
    });
    assert.deepEqual(requests, []);
  });
}

const leaks: { why: string; files: Files }[] = [
  {
    why: 'literals of which one is wrong',
    files: overlay('secretGenerator:\n- name: a\n  literals: [good=hunter2, hunter3]\n'),
  },
  {
    why: 'a Secret of the wrong shape',
    files: {
      ...overlay('resources: [s.yaml]\nlabels: [{pairs: {a: b}}]\n'),
      'overlays/prod/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: hunter2}\n',
    },
  },
];
const envs: { why: string; text: string | Uint8Array; says: RegExp }[] = [
  {
    why: 'a private key',
    text: '-----BEGIN hunter KEY-----\nhunter2/BgkqhkiG9w0==\n-----END hunter KEY-----\n',
    says: /Secret a-\w+: data: 3 keys hold more than letters/,
  },
  { why: 'a key given twice', text: 'hunter=1\nhunter=2\n', says: /illegally repeats the key$/ },
  {
    why: 'bytes that are no text',
    text: Buffer.from('A=hunter2\xff', 'latin1'),
    says: /source files: \[a\.env\]: invalid utf8 bytes$/,
  },
];
for (const { why, text, says } of envs) {
  test(`a line of envs is told by no message: ${why}`, async () => {
    const directory = await mkdtemp(join(root, 'envs-'));
    const options = { hasSymlinks: false, fileBytes: 1_000_000, commit: commitOf('1'.repeat(40)) };
    await writeFile(join(directory, 'kustomization.yaml'), 'secretGenerator: [{name: a, envs: [a.env]}]');
    await writeFile(join(directory, 'a.env'), text);
    await using worktree = new DiskWorktree({
      ...options,
      directory,
      scratch: directory,
      materialize: async () => undefined,
    });
    await assert.rejects(render({ path: '.', renderer: 'auto' }, worktree, renderers), (error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, says);
      assert.ok(!/hunter|104 117 110/.test(JSON.stringify([error.message, error.faults])), error.message);
      return true;
    });
  });
}

for (const { why, files } of leaks) {
  test(`kustomize's words never tell a secret: ${why}`, async () => {
    await assert.rejects(renderFiles(files), (error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, /cannot be built: ./);
      assert.ok(!JSON.stringify([error.message, error.faults]).includes('hunter'), error.message);
      return true;
    });
  });
}

test('kustomize without our checks reaches no other host either', async () => {
  const directory = await mkdtemp(join(root, 'bare-'));
  const options = {
    hasSymlinks: false,
    fileBytes: 1_000_000,
    commit: commitOf('1'.repeat(40)),
    scratch: directory,
  };
  await using worktree = new DiskWorktree({ ...options, directory, materialize: async () => undefined });
  for (const resource of ['https://git.example/acme/web.git//base', 'http://files.example/x.yaml']) {
    await writeFile(join(directory, 'kustomization.yaml'), `resources: ["${resource}"]`);
    await assert.rejects(
      renderers.kustomize(worktree, '.'),
      /(executable file not found|no 'git' program|connection refused)/,
    );
  }
});

test('a build beyond its limits is stopped', async () => {
  const directory = await mkdtemp(join(root, 'limits-'));
  await writeFile(join(directory, 'kustomization.yaml'), 'resources: [a.yaml]');
  await writeFile(join(directory, 'a.yaml'), deployment('a'));
  const options = {
    hasSymlinks: false,
    fileBytes: 1_000_000,
    commit: commitOf('1'.repeat(40)),
    scratch: directory,
  };
  await using worktree = new DiskWorktree({ ...options, directory, materialize: async () => undefined });
  const small = await LocalRenderers.find(dirname(tools.kubectl), { bytes: 100 });
  await assert.rejects(small.kustomize(worktree, '.'), /^Stop: folder \.: gives more than 100 bytes/);
  const short = await LocalRenderers.find(dirname(tools.kubectl), { seconds: 0.001 });
  await assert.rejects(short.kustomize(worktree, '.'), /^Stop: folder \.: took longer than/);
});
