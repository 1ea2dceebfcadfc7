import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ChartRegistry } from '../../adapters/chart-registry.ts';
import { Helm } from '../../adapters/helm.ts';
import { LocalRenderers } from '../../adapters/renderers.ts';
import { chartSourcesSchema } from '../../core/contract/chart-sources.ts';
import { Stop } from '../../core/errors.ts';
import { helmSchema, type ChartReference } from '../../core/model/helm.ts';
import type { ChartFiles, HelmRequest } from '../../core/ports.ts';
import { render } from '../../core/render/render.ts';
import { chartArchive } from '../charts/archive.ts';
import { TestServer, serveOciChart, serveRepository } from '../charts/chart-server.ts';
import { findTools, toolFolders } from '../cluster/tools.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryWorktree, type Files } from '../fakes/memory-worktree.ts';
import { renderContext } from '../fakes/render-context.ts';

const run = promisify(execFile);
const tools = await findTools({ progress: () => undefined });
const path = toolFolders(tools).join(':');
const renderers = await LocalRenderers.find(path);
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
after(() => rm(root, { recursive: true, force: true }));
// Beside what other processes render at the same time, nothing could be said of what is left behind.
process.env['TMPDIR'] = root;

function filesOf(template: string, more: Files = {}): ChartFiles {
  const all = {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'templates/a.yaml': template,
    ...more,
  };
  return new Map(Object.entries(all).map(([name, text]) => [name, Buffer.from(text)]));
}

function requestOf(chart: ChartFiles): HelmRequest {
  const flags = { includeCrds: true, skipSchemaValidation: false, isUpgrade: false };
  return {
    chart,
    releaseName: 'web',
    namespace: 'shop',
    values: [],
    parameters: [],
    capabilities: undefined,
    ...flags,
  };
}

describe('the sandbox', () => {
  const leftOvers = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('trueup-helm-'));

  test('leaves nothing behind, whether it renders or not', async () => {
    const helm = new Helm(path);
    assert.equal((await helm.render(requestOf(filesOf('a: 1')))).kind, 'rendered');
    assert.equal((await helm.render(requestOf(filesOf('{{ fail "no" }}')))).kind, 'refused');
    assert.deepEqual(await leftOvers(), []);
  });

  const limited: {
    why: string;
    limits: { seconds?: number; bytes?: number };
    template: string;
    says: RegExp;
  }[] = [
    {
      why: 'time',
      limits: { seconds: 1 },
      template: '{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}',
      says: /took longer than 1 s/,
    },
    {
      why: 'output',
      limits: { bytes: 1000 },
      template: 'a: {{ repeat 2000 "a" }}',
      says: /gives more than 1000 bytes/,
    },
    {
      why: 'memory',
      limits: {},
      template: '{{ $x := repeat 100000000 "a" }}{{ range until 100 }}{{ $x = cat $x $x }}{{ end }}',
      says: /MB of memory|too large/,
    },
  ];
  for (const { why, limits, template, says } of limited) {
    test(`limits ${why}`, async () => {
      const helm = new Helm(path, limits);
      const error = await helm.render(requestOf(filesOf(template))).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Stop, JSON.stringify(error));
      assert.match(error.message, says);
    });
  }

  test('nothing of the machine is seen: environment, home, files, network', async () => {
    await using server = await TestServer.start();
    process.env['TRUEUP_TEST_CANARY'] = 'hunter22';
    const template = [
      'kind: {{ .Files.Get "/etc/hostname" | quote }}',
      'link: {{ .Files.Get "../../etc/hostname" | quote }}',
      'address: {{ getHostByName "localhost" | quote }}',
    ].join('\n');
    const schema = `{"$ref": "http://${server.host}/schema.json"}`;
    const helm = new Helm(path);
    const result = await helm.render(requestOf(filesOf(template)));
    assert.equal(
      result.kind === 'rendered' && result.output,
      '---\n# Source: web/templates/a.yaml\nkind: ""\nlink: ""\naddress: ""\n',
    );
    const asks = await helm.render(requestOf(filesOf('a: {{ env "TRUEUP_TEST_CANARY" }}')));
    assert.ok(asks.kind === 'refused' && asks.words.includes('function "env" not defined'));
    // Values are checked by a schema that leads elsewhere; loopback is the one place no proxy stands before.
    await helm.render(requestOf(filesOf('a: 1', { 'values.schema.json': schema })));
    const outside = '{"$ref": "https://schema.example/x.json"}';
    const refused = await helm.render(requestOf(filesOf('a: 1', { 'values.schema.json': outside })));
    assert.ok(refused.kind === 'refused' && !refused.words.includes('200'), JSON.stringify(refused));
  });

  test('a Helm of another version, or none, is told', async () => {
    const folder = join(root, 'old');
    await run('mkdir', ['-p', folder]);
    await writeFile(join(folder, 'helm'), '#!/bin/sh\necho v3.19.0\n');
    await chmod(join(folder, 'helm'), 0o755);
    await assert.rejects(
      new Helm(folder).find(),
      /is rendered with Helm 4, and .*helm is v3\.19\.0; install Helm 4/,
    );
    await assert.rejects(new Helm(root).find(), /there is no helm on the PATH; install it/);
  });
});

describe('charts from elsewhere', () => {
  const open = async (server: TestServer, files: Files = {}) => {
    const sources = chartSourcesSchema.parse([
      { url: `http://${server.host}/charts` },
      { url: `oci://${server.host}/acme` },
    ]);
    const charts = new ChartRegistry({
      sources: async () => sources,
      secrets: { get: async () => ({ current: 'a:b' }) },
      ecr: { basic: async () => 'Basic x' },
      clock: new ManualClock(),
    });
    const context = renderContext(new MemoryWorktree(files), renderers, { charts });
    return (chart: ChartReference | undefined, helm = {}, where = '.') =>
      render(
        { path: where, renderer: 'auto', ...(chart && { chart }), helm: helmSchema.parse(helm) },
        context,
      );
  };
  const archive = (version: string, value: string) =>
    chartArchive('web', version, {
      'values.yaml': `a: ${value}\n`,
      'production.yaml': 'a: production\n',
      'templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: {{ .Values.a | quote }}}\n',
    });

  test('a range resolves to a version and a digest, which are recorded and are an input', async () => {
    await using server = await TestServer.start();
    const show = await open(server, { 'env/prod.yaml': 'a: ours\n' });
    serveRepository(server, [{ name: 'web', version: '1.0.0', archive: archive('1.0.0', 'one') }]);
    const chart = { repository: `http://${server.host}/charts`, name: 'web', version: '1.x' };
    const first = await show(chart);
    assert.deepEqual(first.objects[0]?.['data'], { a: 'one' });
    assert.deepEqual(
      first.charts?.map(({ version, name }) => `${name} ${version}`),
      ['web 1.0.0'],
    );
    assert.deepEqual(first.origins, { '/ConfigMap//web': 'web-1.0.0/templates/a.yaml' });
    assert.deepEqual((await show(chart, { valueFiles: ['env/prod.yaml'] })).objects[0]?.['data'], {
      a: 'ours',
    });
    assert.deepEqual((await show(chart, { valueFiles: ['$chart/production.yaml'] })).objects[0]?.['data'], {
      a: 'production',
    });
    serveRepository(server, [
      { name: 'web', version: '1.0.0', archive: archive('1.0.0', 'one') },
      { name: 'web', version: '1.1.0', archive: archive('1.1.0', 'two') },
    ]);
    const second = await show(chart);
    assert.deepEqual(second.objects[0]?.['data'], { a: 'two' });
    assert.notEqual(second.inputDigest, first.inputDigest);
  });

  test('an OCI registry, and what helm itself pulls from it', async () => {
    await using server = await TestServer.start();
    const digest = serveOciChart(server, 'acme/web', '2.0.0', archive('2.0.0', 'oci'));
    const show = await open(server);
    const { objects, charts } = await show({ oci: `oci://${server.host}/acme/web`, version: '2.0.0' });
    assert.deepEqual(objects[0]?.['data'], { a: 'oci' });
    assert.deepEqual(charts, [
      { from: `oci://${server.host}/acme/web`, name: 'web', version: '2.0.0', digest },
    ]);
    const args = ['template', 'web', `oci://${server.host}/acme/web`, '--version=2.0.0', '--plain-http'];
    const { stdout } = await run(tools.helm, args, { env: { HOME: root } });
    assert.match(stdout, /a: "oci"/);
  });

  test('dependencies are those that the lock pins, though newer ones came', async () => {
    await using server = await TestServer.start();
    const repository = `http://${server.host}/charts`;
    const old = { name: 'web', version: '1.0.0', archive: archive('1.0.0', 'locked') };
    serveRepository(server, [old]);
    const chart = `apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- name: web\n  version: ">=1.0.0 <2"\n  repository: ${repository}\n  condition: web.enabled\n  tags: [a, "<b>"]\n`;
    const folder = join(root, 'app');
    await run('mkdir', ['-p', join(folder, 'templates')]);
    await writeFile(join(folder, 'Chart.yaml'), chart);
    await run(tools.helm, ['dependency', 'update', folder], { env: { HOME: root } });
    const { stdout: lock } = await run('cat', [join(folder, 'Chart.lock')]);
    serveRepository(server, [old, { name: 'web', version: '1.5.0', archive: archive('1.5.0', 'newest') }]);
    const show = await open(server, { 'app/Chart.yaml': chart, 'app/Chart.lock': lock });
    const { objects, charts } = await show(undefined, {}, 'app');
    assert.deepEqual(objects[0]?.['data'], { a: 'locked' });
    assert.deepEqual(
      charts?.map(({ version }) => version),
      ['1.0.0'],
    );
    const moved = await open(server, { 'app/Chart.yaml': chart.replace('<2', '<3'), 'app/Chart.lock': lock });
    await assert.rejects(moved(undefined, {}, 'app'), /has dependencies that Chart\.lock does not know/);
  });

  test('an archive in charts/ is rendered and looked at like a folder', async () => {
    const random = chartArchive('web', '1.0.0', {
      'templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: {{ uuidv4 | quote }}}\n',
    });
    const files = {
      'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 0.1.0\n',
      'app/charts/web-1.0.0.tgz': random.toString('latin1'),
    };
    const worktree = new BinaryWorktree(files);
    const charts = new ChartRegistry({
      sources: async () => [],
      secrets: { get: async () => ({ current: '' }) },
      ecr: { basic: async () => '' },
      clock: new ManualClock(),
    });
    const source = { path: 'app', renderer: 'auto' as const };
    await assert.rejects(
      render(source, renderContext(worktree, renderers, { charts })),
      /^Stop: app\/charts\/web-1\.0\.0\/templates\/a\.yaml: ConfigMap web: data\.a differs .*uuidv4/,
    );
  });
});

/** Files whose text stands for bytes. */
class BinaryWorktree extends MemoryWorktree {
  override async read(file: string): Promise<Uint8Array> {
    return Buffer.from(await this.text(file), 'latin1');
  }
}
