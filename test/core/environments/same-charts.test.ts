import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { SameCharts } from '../../../core/environments/same-charts.ts';
import { Stop } from '../../../core/errors.ts';
import { applicationSchema } from '../../../core/model/application.ts';
import type { ChartReference } from '../../../core/model/helm.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { configMap } from '../produce/world.ts';
import { EnvironmentWorld, shop } from './environment-world.ts';

const place = 'https://charts.example/stable';

/** An application of the chart `shop`, in an installation that may fetch every chart. */
class ChartWorld extends EnvironmentWorld {
  readonly fetched: string[] = [];

  override deps(config?: Parameters<EnvironmentWorld['deps']>[0]): ProduceDeps {
    const base = super.deps(config);
    const fetch = async (chart: ChartReference) => {
      const name = 'oci' in chart ? 'private' : chart.name;
      this.fetched.push(`${name} ${chart.version}`);
      const { version } = chart;
      const content = `apiVersion: v2\nname: ${name}\nversion: ${version}\n`;
      return {
        name,
        version,
        digest: `sha256:${name}-${version}`,
        files: new Map([['Chart.yaml', utf8ToBytes(content)]]),
      };
    };
    const output = `---\n# Source: shop/templates/a.yaml\n${configMap('shop', '1')}`;
    const helm: ProduceDeps['renderers']['helm'] = async () => ({ kind: 'rendered', output });
    return {
      ...base,
      charts: {
        fetch,
        unpack: async () => new Map(),
        newest: async (all) => all.map(({ version }) => ({ kind: 'version' as const, version })),
      },
      renderers: { ...base.renderers, helm },
    };
  }
}

function charted(chart: string) {
  const { 'apps/shop/a.yaml': _, ...rest } = shop('1', undefined, { source: `{chart: {${chart}}}` });
  return { ...rest, 'README.md': '' };
}

const stable = (name: string, version: string) =>
  `repository: "${place}", name: ${name}, version: "${version}"`;

async function proposing(chart: string): Promise<ChartWorld> {
  const world = new ChartWorld();
  const sha = world.git.push('a', charted(stable('shop', '1.0.0')));
  await produce(await world.pushed(sha), 1, world.deps(world.config));
  world.open('b', charted(chart));
  world.fetched.splice(0);
  await world.look();
  return world;
}

test('a pull request may take another version of the chart that its application has', async () => {
  const world = await proposing(stable('shop', '2.0.0'));
  assert.ok(world.fetched.includes('shop 2.0.0'), world.comment('1'));
});

test('a chart that its renders fetched is known, though its Application does not name it', async () => {
  const world = await proposing(stable('shop', '1.0.0'));
  const [repository] = parseStackConfig(world.config).repositories;
  assert.ok(repository);
  const application = applicationSchema.parse({
    apiVersion: 'trueup.dev/v1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: { source: { path: 'apps/shop' }, namespace: 'shop', clusters: { names: ['prod'] } },
  });
  const charts = new SameCharts(world.deps().charts, { application, repository }, world.store);
  const reference = { repository: place, name: 'shop', version: '3.0.0' };
  assert.equal((await charts.fetch(reference)).version, '3.0.0');
  await assert.rejects(charts.fetch({ ...reference, name: 'secrets' }), Stop);
});

for (const [what, chart] of [
  ['another chart of the same repository', stable('secrets', '1.0.0')],
  [
    'a chart of another repository',
    'repository: "https://charts.example/other", name: shop, version: "1.0.0"',
  ],
  ['a chart of a registry', 'oci: "oci://registry.example/private", version: "1.0.0"'],
] as const) {
  test(`a pull request may not take ${what}`, async () => {
    const world = await proposing(chart);
    assert.deepEqual(world.fetched, []);
    assert.equal(await world.environment('shop-pr-1'), undefined);
    assert.match(world.comment('1'), /is a chart that shop does not have on its tracked branch/);
  });
}
