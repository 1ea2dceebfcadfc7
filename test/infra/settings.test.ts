import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { readSettings } from '../../infra/settings.ts';
import { temporaryFolder } from '../../infra/temporary-folder.ts';

const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

function file(name: string, text: string): string {
  const full = path.join(folder.path, name);
  writeFileSync(full, text);
  return full;
}
const settingsOf = (context: Readonly<Record<string, unknown>>) => readSettings((name) => context[name]);
const faultsOf = (context: Readonly<Record<string, unknown>>) =>
  settingsOf(context).then(
    () => assert.fail('was accepted'),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const minimal: StackConfigInput = {
  repositories: [{ name: 'platform', url: 'https://git.example/platform.git' }],
  clusters: [{ name: 'one', access: { type: 'eks', name: 'one' } }],
};

test('without any context: infra/config.ts, an image, 10 reserved', async () => {
  const { config, snapshotPackaging, hookConcurrency } = await settingsOf({});
  assert.deepEqual(
    config.repositories.map(({ name }) => name),
    ['platform'],
  );
  assert.equal(snapshotPackaging, 'image');
  assert.equal(hookConcurrency, 10);
});

test('the configuration from a JSON file or a TypeScript module', async () => {
  const json = file('config.json', JSON.stringify(minimal));
  const module = file('config.ts', `export default ${JSON.stringify(minimal)} as object;\n`);
  for (const config of [json, module]) {
    const settings = await settingsOf({ config, snapshotPackaging: 'zip', hookConcurrency: 'none' });
    assert.deepEqual(
      settings.config.clusters.map(({ name }) => name),
      ['one'],
    );
    assert.equal(settings.config.sweepMinutes, 5);
    assert.equal(settings.snapshotPackaging, 'zip');
    assert.equal(settings.hookConcurrency, undefined);
  }
});

const faulty = {
  repositories: [
    { name: 'Platform!', url: 'http://git.example/platform.git' },
    { name: 'apps', url: 'https://user:token@git.example/apps.git' },
    { name: 'apps', url: 'https://git.example/apps.git' },
  ],
  clusters: [{ name: 'one', access: { type: 'magic' } }],
  sweepMinutes: 0,
  colour: 'blue',
};

test('every fault of the configuration and of the context is named at once', async () => {
  const faults = await faultsOf({
    config: file('faulty.json', JSON.stringify(faulty)),
    snapshotPackaging: 'jar',
    hookConcurrency: '0',
  });
  for (const expected of [
    /context value snapshotPackaging: must be image/,
    /context value hookConcurrency: /,
    /repositories\.0\.name: must be lower-case/,
    /repositories\.0\.url: must be https/,
    /repositories\.1\.url: must not hold a user name or token/,
    /clusters\.0\.access\.type: /,
    /sweepMinutes: /,
    /colour/,
  ]) {
    assert.match(faults, expected);
  }
});

test('a file that is not there, or not a configuration, is named', async () => {
  assert.match(
    await faultsOf({ config: '/nowhere/config.json' }),
    /cannot read the stack configuration \/nowhere\/config\.json: ENOENT/,
  );
  assert.match(await faultsOf({ config: file('broken.json', '{"fleet": ') }), /broken\.json: .*JSON/);
  assert.match(
    await faultsOf({ config: file('empty.ts', 'export const config = 1;\n') }),
    /empty\.ts: it has no default export/,
  );
});

test('the app prints the faults, no stack trace, and exits 1', () => {
  const context = { config: file('faulty2.json', JSON.stringify(faulty)) };
  const app = path.resolve(import.meta.dirname, '../../infra/app.ts');
  const { status, stderr } = spawnSync(process.execPath, [app], {
    encoding: 'utf8',
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
  assert.equal(status, 1);
  assert.match(stderr, /stack configuration: \d+ fault\(s\), nothing was deployed or changed\n/);
  assert.doesNotMatch(stderr, /^ +at /m);
});
