import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';

/** The npm package as its users have it: built, packed, installed, and what `init` makes with it synthesised. */

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'trueup-package-'));
const program = join(folder, 'lib/node_modules/trueup/bin/trueup.js');
const env = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  HOME: folder,
  XDG_CACHE_HOME: join(folder, 'cache'),
  INIT_CWD: folder,
};

const trueup = async (...args: readonly string[]) =>
  (await run(process.execPath, [program, ...args], { cwd: folder, env })).stdout;

before(async () => {
  await run(process.execPath, [join(root, 'packaging/build.ts')], { cwd: root });
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const tarball = join(root, `dist/trueup-${version}.tgz`);
  await run('npm', ['install', '--global', '--prefix', folder, '--offline', tarball], { env: process.env });
});
after(() => rm(folder, { recursive: true, force: true }));

test('it needs nothing but itself, and knows its verbs', async () => {
  assert.deepEqual(await readdir(join(folder, 'lib/node_modules')), ['trueup']);
  assert.match(await trueup('--help'), /validate .*status .*sync /s);
  assert.match(await trueup('completion', 'bash'), /complete -o default -F _trueup trueup/);
  assert.match(await readFile(join(program, '../../THIRD-PARTY.txt'), 'utf8'), /^commander 14/m);
});

test('init: what it makes is valid, installs and synthesises', async () => {
  const url = 'https://github.com/acme/my-config.git';
  await trueup('init', 'begun', '--repository', url, '--cluster', 'prod');
  assert.equal(
    await trueup('validate', '--dir', 'begun', '--config', 'begun/cdk/stack.json'),
    '2 applications are valid\n',
  );
  const cdk = join(folder, 'begun/cdk');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd: cdk,
    env: { ...process.env, PATH: env.PATH },
  });
  await run(join(root, 'node_modules/.bin/tsc'), ['--project', cdk]);
  await run('npx', ['cdk', 'synth', '--quiet'], { cwd: cdk, env });
  const template = await readFile(join(cdk, 'cdk.out/trueup-default.template.json'), 'utf8');
  assert.match(template, /"AWS::Lambda::Function"/);
  assert.match(template, /"HookUrl"/);
  // Of the functions' bundles, which the package brings.
  const assets = await readdir(join(cdk, 'cdk.out'));
  const sources = await Promise.all(
    assets
      .filter((name) => /^asset\.[0-9a-f]{64}$/.test(name))
      .map(async (name) => readdir(join(cdk, 'cdk.out', name))),
  );
  assert.ok(sources.some((names) => names.includes('index.mjs')));
  assert.ok(sources.some((names) => names.includes('Dockerfile') && names.includes('layer.zip')));
});

test('ui: the dashboard is in it', async () => {
  await mkdir(join(folder, 'state'));
  await writeFile(join(folder, 'state/store.json'), '{"version":1}');
  const ui = spawn(process.execPath, [program, 'ui', '--store', 'file:state'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(ui, 'exit').then(([code]) => Promise.reject(new Error(`trueup ui ended with ${code}`)));
  const [printed] = await Promise.race([once(ui.stdout, 'data'), ended]);
  const answer = await fetch(String(printed).trim().replace(/#.*/, ''));
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /<script type="module" src="\/?main-[A-Z0-9]{8}\.js"/);
  ui.kill('SIGINT');
  await assert.rejects(ended, /ended with 0/);
});
