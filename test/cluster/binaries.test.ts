import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findBinaries } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { clusterClient } from './cluster-client.ts';

const run = promisify(execFile);
const hasGo = spawnSync('go', ['version']).status === 0;
const quiet = (): void => undefined;

describe('finding the control plane', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'trueup-binaries-'));
  });
  after(async () => rm(dir, { recursive: true }));

  /** A module that builds in a second, in place of ours that takes minutes. */
  async function smallModule(name: string, goVersion: string): Promise<string> {
    const moduleDir = await mkdtemp(join(dir, name));
    await writeFile(join(moduleDir, 'go.mod'), `module example.com/small\n\ngo ${goVersion}\n`);
    await writeFile(join(moduleDir, 'go.sum'), '');
    await writeFile(join(moduleDir, 'main.go'), 'package main\n\nfunc main() { println("small") }\n');
    return moduleDir;
  }

  it('without Go says everything that helps', async () => {
    const env = { PATH: '', TRUEUP_CACHE: join(dir, 'empty') };
    await assert.rejects(findBinaries({ progress: quiet, env }), (error: Error) => {
      for (const words of ['no `go` on the PATH', 'Go 1.26', 'TRUEUP_KUBECONFIG', 'KUBEBUILDER_ASSETS']) {
        assert.ok(error.message.includes(words), `${words} in: ${error.message}`);
      }
      return true;
    });
  });

  it('with a Go that is too old and may not fetch a newer one says so', { skip: !hasGo }, async () => {
    const moduleDir = await smallModule('future', '1.99');
    const env = { ...process.env, GOTOOLCHAIN: 'local', TRUEUP_CACHE: join(dir, 'empty') };
    await assert.rejects(
      findBinaries({ progress: quiet, env, moduleDir }),
      /requires go >= 1\.99.*Install Go 1\.26/s,
    );
  });

  it(
    'shows the compiler’s words when the build fails, and leaves no half-made binary',
    { skip: !hasGo },
    async () => {
      const moduleDir = await smallModule('broken', '1.21');
      await writeFile(join(moduleDir, 'main.go'), 'package main\n\nfunc main() { nonsense }\n');
      const cache = join(dir, 'broken-cache');
      const env = { ...process.env, TRUEUP_CACHE: cache };
      await assert.rejects(findBinaries({ progress: quiet, env, moduleDir }), /undefined: nonsense/);
      assert.deepEqual(await readdir(cache), []);
    },
  );

  it('builds once when two processes ask at once', { skip: !hasGo }, async () => {
    const moduleDir = await smallModule('shared', '1.21');
    const script = `
      import { findBinaries } from ${JSON.stringify(join(import.meta.dirname, 'binaries.ts'))};
      const found = await findBinaries({ progress: (line) => console.log(line), moduleDir: ${JSON.stringify(moduleDir)} });
      console.log('found ' + found.commands.etcd[0]);`;
    const env = { ...process.env, TRUEUP_CACHE: join(dir, 'shared-cache'), KUBEBUILDER_ASSETS: '' };
    const ask = async () => run(process.execPath, ['--input-type=module', '--eval', script], { env });
    const [one, two] = await Promise.all([ask(), ask()]);
    const output = one.stdout + two.stdout;
    assert.equal(output.match(/^built the control plane/gm)?.length, 1, output);
    assert.equal(new Set(output.match(/^found .*/gm)).size, 1, output);
    assert.equal((await readdir(join(dir, 'shared-cache'))).length, 1);
  });

  it('refuses KUBEBUILDER_ASSETS without an API server', async () => {
    const env = { KUBEBUILDER_ASSETS: dir };
    await assert.rejects(findBinaries({ progress: quiet, env }), /no etcd and no kube-apiserver/);
  });

  const skip = process.env['TRUEUP_KUBECONFIG'] ? 'TRUEUP_KUBECONFIG is set' : !hasGo;
  it('starts from KUBEBUILDER_ASSETS alone, and says what that lacks', { skip }, async () => {
    const { commands } = await findBinaries({ progress: quiet });
    const assets = await mkdtemp(join(dir, 'assets'));
    for (const name of ['etcd', 'kube-apiserver'] as const) {
      const [command, ...args] = commands[name] ?? [''];
      await writeFile(join(assets, name), `#!/bin/sh\nexec ${command} ${args.join(' ')} "$@"\n`);
      await chmod(join(assets, name), 0o755);
    }
    const lines: string[] = [];
    const env = { ...process.env, KUBEBUILDER_ASSETS: assets };
    const plane = await startControlPlane({ name: 'assets', env, progress: (line) => lines.push(line) });
    const client = await clusterClient(plane.kubeconfig);
    assert.deepEqual(await client.list('/api/v1/nodes'), []);
    await client.close();
    await plane.stop();
    assert.deepEqual(plane.lacking, ['kube-controller-manager', 'kube-scheduler', 'kwok']);
    assert.match(lines.join('\n'), /Deployments never become available/);
  });
});
