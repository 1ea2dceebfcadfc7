import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';
import { chartArchive } from '../charts/archive.ts';
import { TestServer, serveRepository } from '../charts/chart-server.ts';
import { findTools } from '../cluster/tools.ts';
import { bareEnvironment } from './bare-environment.ts';

const tools = await findTools({ progress: () => undefined });
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
after(() => rm(root, { recursive: true, force: true }));

const template = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
data: {a: {{ .Values.a | quote }}, installs: {{ .Release.IsInstall | quote }}}
`;
const application = (source: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: shop}
spec:
  source:
${source}  clusters: {names: [east]}
  namespace: web
`;

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

/** Without AWS: no region, no credentials. */
async function render(...args: string[]) {
  const program = join(import.meta.dirname, '../../cli/trueup.ts');
  const env = { ...bareEnvironment, PATH: tools.path, HOME: root, INIT_CWD: root };
  const run = promisify(execFile)(process.execPath, [program, 'render', ...args, '-o', 'json'], {
    cwd: root,
    env,
  });
  const { stdout, stderr } = await run;
  const objects = z.array(z.object({ metadata: z.unknown(), data: z.unknown() })).parse(JSON.parse(stdout));
  return { objects, notes: stderr };
}

test('a chart in a folder, alone and as an Application has it', async () => {
  await write({
    'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'charts/web/values.yaml': 'a: default\n',
    'charts/web/templates/a.yaml': template,
    'env/prod.yaml': 'a: production\n',
    'app.yaml': application('    path: elsewhere\n    helm: {valueFiles: [../../env/prod.yaml]}\n'),
  });
  const alone = await render('charts/web');
  assert.deepEqual(alone.objects[0]?.metadata, { name: 'web', namespace: 'default' });
  assert.match(alone.notes, /^charts\/web\/templates\/a\.yaml:4: \.Release\.IsInstall knows no release/);
  const { objects } = await render('charts/web', '--application', 'app.yaml');
  assert.deepEqual(objects[0]?.metadata, { name: 'shop', namespace: 'web' });
  assert.deepEqual(objects[0]?.data, { a: 'production', installs: 'true' });
});

test('a chart of the repository that the Application names, and of no other', async () => {
  await using server = await TestServer.start();
  serveRepository(server, [{ name: 'web', version: '1.2.0', archive: chartArchive('web', '1.2.0') }]);
  const chart = `    chart: {repository: "http://${server.host}/charts", name: web, version: 1.x}\n`;
  await write({ 'app.yaml': application(chart) });
  const { objects } = await render('.', '--application', 'app.yaml');
  assert.deepEqual(objects[0]?.data, { version: '1.2.0' });
});

test('a values file that is missing, named from where the person stands', async () => {
  await write({
    'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'app.yaml': application('    path: elsewhere\n    helm: {valueFiles: [missing.yaml]}\n'),
  });
  const stderr = /^trueup: charts\/web\/missing\.yaml: missing\.yaml of helm\.valueFiles is not there/;
  await assert.rejects(render('charts/web', '--application', 'app.yaml'), { stderr });
});
