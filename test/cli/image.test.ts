import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { bareEnvironment } from './bare-environment.ts';

const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
after(() => rm(root, { recursive: true, force: true }));

const files = {
  'config/applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: shop}
spec:
  source: {path: apps/shop}
  namespace: shop
  clusters: {names: [prod]}
  images:
    - {image: ghcr.io/acme/shop, policy: {semver: {range: 1.x}}}
`,
  'config/apps/shop/kustomization.yaml': `# Windows wrote this\r\nimages:\r\n  - name: ghcr.io/acme/shop\r\n    newTag: "1.2.0" # kept\r\n`,
  'config/charts/web/templates/deployment.yaml': 'image: {{ .Values.image }}\n{{- if x }}\n',
};

beforeEach(async () => {
  await rm(root, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
});

function trueup(...args: readonly string[]) {
  const program = join(import.meta.dirname, '../../cli/trueup.ts');
  const env = { ...bareEnvironment, HOME: root, INIT_CWD: root };
  return spawnSync(process.execPath, [program, 'image', ...args], { cwd: root, env, encoding: 'utf8' });
}

const kustomization = join(root, 'config/apps/shop/kustomization.yaml');
const read = async () => readFile(kustomization, 'utf8');

describe('trueup image', () => {
  it('changes the one value, and keeps comments, quotes, line ends, mode and symlink', async () => {
    const real = join(root, 'config/shared.yaml');
    await writeFile(real, files['config/apps/shop/kustomization.yaml']);
    await rm(kustomization);
    await symlink('../../shared.yaml', kustomization);
    await chmod(real, 0o640);
    const { status, stdout } = trueup('ghcr.io/acme/shop:1.3.0', '--dir', 'config', '-o', 'json');
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), {
      image: 'ghcr.io/acme/shop:1.3.0',
      title: 'Set shop to 1.3.0',
      changes: [
        {
          policy: 'shop:shop',
          place: 'config/apps/shop/kustomization.yaml:4',
          from: '1.2.0',
          to: '1.3.0',
        },
      ],
      left: [],
    });
    assert.equal(await read(), files['config/apps/shop/kustomization.yaml'].replace('1.2.0', '1.3.0'));
    assert.equal((await stat(real)).mode & 0o777, 0o640);
  });

  it('writes nothing with --dry-run', async () => {
    const { status, stdout } = trueup('ghcr.io/acme/shop:1.3.0', '--dir', 'config', '--dry-run');
    assert.equal(status, 0);
    assert.match(stdout, /shop:shop\s+config\/apps\/shop\/kustomization\.yaml:4\s+1\.2\.0\s+1\.3\.0/);
    assert.equal(await read(), files['config/apps/shop/kustomization.yaml']);
  });

  it('says why nothing changes', () => {
    const older = trueup('ghcr.io/acme/shop:1.1.0', '--dir', 'config');
    assert.deepEqual([older.status, older.stdout], [0, 'Nothing to change.\n']);
    assert.match(older.stderr, /shop:shop: 1\.2\.0 stands there, which its policy puts before 1\.1\.0/);
    const stranger = trueup('ghcr.io/acme/other:1.1.0', '--dir', 'config');
    assert.equal(stranger.status, 1);
    assert.match(stranger.stderr, /Nobody follows ghcr\.io\/acme\/other:1\.1\.0/);
  });

  it('tells bad input with file and line, and changes nothing', async () => {
    for (const [reference, says] of [
      ['ghcr.io/acme/shop', /is no REPOSITORY:TAG/],
      ['ghcr.io/acme/shop:1.3.0@sha256:12', /is no REPOSITORY:TAG/],
    ] as const) {
      const { status, stderr } = trueup(reference, '--dir', 'config');
      assert.equal(status, 2);
      assert.match(stderr, says);
    }
    const file = join(root, 'config/applications/shop.yaml');
    await writeFile(file, files['config/applications/shop.yaml'].replace('semver:', 'semantic:'));
    const faulty = trueup('ghcr.io/acme/shop:1.3.0', '--dir', 'config');
    assert.equal(faulty.status, 2);
    assert.match(faulty.stderr, /config\/applications\/shop\.yaml:9/);
    assert.equal(trueup('a:1', '--dir', 'nowhere').status, 2);
    assert.equal(await read(), files['config/apps/shop/kustomization.yaml']);
  });
});
