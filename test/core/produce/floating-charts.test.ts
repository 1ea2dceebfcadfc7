import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { Retry, Stop } from '../../../core/errors.ts';
import type { ChartReference } from '../../../core/model/helm.ts';
import { pollCharts } from '../../../core/poll-charts.ts';
import type { NewestChart } from '../../../core/ports.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { ProduceWorld, application, configMap, files } from './world.ts';

const repository = 'https://charts.example/stable';
const ranged = (name: string, version: string) => ({
  source: `{chart: {repository: "${repository}", name: ${name}, version: "${version}"}}`,
});
/** `web` and `two` follow ranges of one repository, `exact` a version of it, and `api` is plain. */
const fleet = {
  ...files('1'),
  'applications/web.yaml': application('web', ranged('web', '1.x')),
  'applications/two.yaml': application('two', ranged('db', '^2')),
  'applications/exact.yaml': application('exact', ranged('web', '1.0.0')),
};

/** A repository of charts whose newest versions are given; and what was rendered and asked. */
class ChartWorld extends ProduceWorld {
  readonly newest: Record<string, string | undefined> = { web: '1.0.0', db: '2.0.0' };
  readonly asked: string[][] = [];
  rendered: string[] = [];
  answers: NewestChart['kind'] = 'version';
  /** Charts that cannot be had, and those of which the templates are wrong. */
  away: string | undefined;
  broken: string | undefined;

  override deps(): ProduceDeps {
    const base = super.deps();
    const nameOf = (chart: ChartReference) => ('oci' in chart ? chart.oci : chart.name);
    const newestOf = (chart: ChartReference) =>
      /^\d+\.\d+\.\d+$/.test(chart.version) ? chart.version : this.newest[nameOf(chart)];
    const charts: ProduceDeps['charts'] = {
      fetch: async (chart) => {
        const version = newestOf(chart);
        const subject = `chart ${nameOf(chart)}`;
        if (version === undefined) throw new Stop({ subject, message: 'no version fits' });
        if (this.away === version) throw new Retry({ subject, message: 'does not answer' });
        const content = utf8ToBytes(`apiVersion: v2\nname: ${nameOf(chart)}\nversion: ${version}\n`);
        return {
          name: nameOf(chart),
          version,
          digest: `sha256:${version}`,
          files: new Map([['Chart.yaml', content]]),
        };
      },
      unpack: async () => new Map(),
      newest: async (references) => {
        this.asked.push(references.map((chart) => `${nameOf(chart)} ${chart.version}`));
        return references.map((chart): NewestChart => {
          const version = newestOf(chart);
          if (this.answers === 'unknown') return { kind: 'unknown' };
          return version === undefined ? { kind: 'none' } : { kind: 'version', version };
        });
      },
    };
    const helm: ProduceDeps['renderers']['helm'] = async ({ chart }) => {
      const text = JSON.stringify([...chart.values()].map((bytes) => Buffer.from(bytes).toString()));
      const [, name = '', version = ''] = /name: (\w+)\\nversion: ([\d.]+)/.exec(text) ?? [];
      this.rendered.push(`${name} ${version}`);
      if (this.broken === version) throw new Stop({ subject: 'chart', message: 'parse error' });
      return { kind: 'rendered', output: `---\n# Source: x/templates/a.yaml\n${configMap(name, version)}` };
    };
    return { ...base, charts, renderers: { ...base.renderers, helm } };
  }

  async follow(receiveCount = 1): Promise<string[]> {
    this.rendered = [];
    const outcomes: string[] = [];
    for (const event of this.bus.events.splice(0)) {
      if (event.type === 'PushReceived')
        outcomes.push(await produce(event.detail, receiveCount, this.deps()));
    }
    return outcomes;
  }
}

async function begin(): Promise<ChartWorld> {
  const world = new ChartWorld();
  await world.push('a', fleet);
  world.takeEvents();
  world.takeRuns();
  world.rendered = [];
  return world;
}

test('a newer version that fits is seen by the poll, and what follows it is rendered and nothing else', async () => {
  const world = await begin();
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
  assert.deepEqual(world.asked, [['db ^2', 'web 1.x']]);
  world.newest['web'] = '1.1.0';
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (web 1.0.0..1.1.0)');
  assert.match((await world.follow()).join(), /^commit aaaaaaa: 1 changed \(web on prod\), 3 unchanged/);
  assert.deepEqual([...new Set(world.rendered)], ['web 1.1.0']);
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
});

test('a push that changes nothing of them asks once and renders nothing', async () => {
  const world = await begin();
  world.asked.splice(0);
  await world.push('b', { ...fleet, 'apps/api/a.yaml': configMap('api', '2') });
  assert.deepEqual(world.rendered, []);
  assert.deepEqual(world.asked, [['db ^2', 'web 1.x']]);
});

test('a repository of charts that does not answer changes nothing, and the next poll asks again', async () => {
  const world = await begin();
  world.newest['web'] = '1.1.0';
  world.answers = 'unknown';
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
  await world.push('b', { ...fleet, 'apps/api/a.yaml': configMap('api', '2') });
  assert.deepEqual(world.rendered, []);
  world.bus.events.splice(0);
  world.answers = 'version';
  assert.match(await pollCharts(world.deps()), /^newer charts: fleet/);
});

test('a range that no version fits any more has its application looked at, which tells why', async () => {
  const world = await begin();
  world.newest['db'] = undefined;
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (db 2.0.0..?)');
  assert.match((await world.follow()).join(), /no version fits/);
  assert.equal(await pollCharts(world.deps()), 'no newer chart', 'it was told, and nothing is new since');
  world.newest['db'] = '2.1.0';
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (db ?..2.1.0)');
});

test('a newer version that does not render is tried once, then with each push; and the next one is tried', async () => {
  const world = await begin();
  world.newest['web'] = '1.1.0';
  world.broken = '1.1.0';
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (web 1.0.0..1.1.0)');
  assert.match((await world.follow()).join(), /parse error/);
  assert.deepEqual([...new Set(world.rendered)], ['web 1.1.0']);
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
  assert.equal(
    world.bus.events.find(({ type }) => type === 'PushReceived'),
    undefined,
  );
  world.rendered = [];
  await world.push('b', { ...fleet, 'apps/api/a.yaml': configMap('api', '2') });
  assert.deepEqual([...new Set(world.rendered)], ['web 1.1.0']);
  world.bus.events.splice(0);
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
  world.newest['web'] = '1.2.0';
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (web 1.1.0..1.2.0)');
  assert.match((await world.follow()).join(), /1 changed \(web on prod\)/);
  assert.equal(await pollCharts(world.deps()), 'no newer chart');
});

test('a newer version that could not be fetched is asked for again by the next poll', async () => {
  const world = await begin();
  world.newest['web'] = '1.1.0';
  world.away = '1.1.0';
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (web 1.0.0..1.1.0)');
  await world.follow(9);
  assert.equal(await pollCharts(world.deps()), 'newer charts: fleet (web 1.0.0..1.1.0)');
});

test('an installation that follows no range asks nobody', async () => {
  const world = new ChartWorld();
  await world.push('a', files('1'));
  world.asked.splice(0);
  assert.equal(await pollCharts(world.deps()), 'no application follows a range of versions');
  assert.deepEqual(world.asked, []);
});
