import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import type { Git, HelmRequest } from '../../../core/ports.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { MemoryGit } from '../../fakes/memory-git.ts';
import type { Files } from '../../fakes/memory-worktree.ts';
import { ProduceWorld, application, configMap } from './world.ts';

const config: StackConfigInput = {
  repositories: [
    { name: 'fleet', url: 'https://git.example/fleet.git' },
    { name: 'values', url: 'https://git.example/values.git' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'x' } }],
};

const start = {
  'applications/web.yaml': application('web', {
    source: '{path: chart, helm: {valueFiles: [$env/prod.yaml]}}',
    sources: '[{ref: env, repository: values}]',
  }),
  'applications/api.yaml': application('api'),
  'apps/api/a.yaml': configMap('api', '1'),
  'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
  'chart/templates/a.yaml': configMap('web', '{{ .Values.color }}'),
};

/** Two repositories of one installation, and a Helm that knows one value. */
class TwoRepositories {
  readonly world = new ProduceWorld();
  readonly #values = new MemoryGit();
  readonly #rendered: string[] = [];
  readonly #deps: ProduceDeps;

  constructor() {
    const { world } = this;
    const of = (name: string) => (name === 'values' ? this.#values : world.git);
    const git: Git = {
      head: (repository) => of(repository.name).head(),
      heads: async (repositories) => {
        const found = await Promise.all(repositories.map((one) => of(one.name).heads([one])));
        return new Map(found.flatMap((heads) => [...heads]));
      },
      checkout: (repository, sha) => of(repository.name).checkout(repository, sha),
    };
    const helm = async ({ values }: HelmRequest) => {
      const color = /color: (\w+)/.exec(values.join('\n'))?.[1] ?? 'none';
      const output = `---\n# Source: chart/templates/a.yaml\n${configMap('web', color)}`;
      return { kind: 'rendered' as const, output };
    };
    const deps = world.deps(config);
    this.#deps = { ...deps, git, renderers: { ...deps.renderers, helm } };
    const get = world.store.get.bind(world.store);
    world.store.get = async (key) => {
      const [folder, name = ''] = key.split('/');
      if (folder === 'snapshots') this.#rendered.push(name);
      return get(key);
    };
  }

  /** A push to one of them, and all pushes that follow from it: which applications were rendered. */
  async push(repository: 'fleet' | 'values', digit: string, files: Files): Promise<string[]> {
    const git = repository === 'values' ? this.#values : this.world.git;
    const before = git.current;
    const event = await this.world.pushed(git.push(digit, files), before, repository);
    this.#rendered.length = 0;
    await produce(event, 1, this.#deps);
    for (const one of this.world.bus.events.splice(0)) {
      if (one.type === 'PushReceived') await produce(one.detail, 1, this.#deps);
    }
    return [...new Set(this.#rendered)].sort();
  }

  drop(): void {
    this.#values.current = undefined;
  }

  async snapshot() {
    const { snapshot } = await this.world.pointer('web');
    return decodeSnapshot(snapshot, (await this.world.store.get(keys.snapshot('web', snapshot)))?.text ?? '');
  }
}

async function begin(): Promise<TwoRepositories> {
  const world = new TwoRepositories();
  await world.push('values', 'a', { 'prod.yaml': 'color: red\n' });
  assert.deepEqual(await world.push('fleet', 'b', start), ['api', 'web']);
  return world;
}

test('values of another repository are read at its head, and the commit is in the snapshot', async () => {
  const world = await begin();
  const { objects, provenance } = await world.snapshot();
  assert.deepEqual(objects[0]?.['data'], { value: 'red' });
  assert.deepEqual(provenance.sources, [{ repository: 'values', sha: 'a'.repeat(40) }]);
});

test('a push to the other repository renders what reads the changed file, and nothing else', async () => {
  const world = await begin();
  assert.deepEqual(await world.push('values', 'c', { 'prod.yaml': 'color: blue\n' }), ['web']);
  const { objects, provenance } = await world.snapshot();
  assert.deepEqual(objects[0]?.['data'], { value: 'blue' });
  assert.deepEqual(provenance.sources, [{ repository: 'values', sha: 'c'.repeat(40) }]);
  assert.deepEqual(
    await world.push('values', 'd', { 'prod.yaml': 'color: blue\n', 'dev.yaml': 'color: red\n' }),
    [],
  );
  assert.deepEqual(await world.push('fleet', 'e', { ...start, 'README.md': '' }), []);
});

test('a repository that others only read from needs no Applications, and fails nothing', async () => {
  const world = await begin();
  await world.push('values', 'c', { 'prod.yaml': 'color: blue\n' });
  const state = await world.world.state('values');
  assert.deepEqual([state.failing, state.head.sha], [false, 'c'.repeat(40)]);
});

test('while the other repository has no such branch its readers fail, and the others go on', async () => {
  const world = await begin();
  world.drop();
  await world.push('fleet', 'c', { ...start, 'apps/api/a.yaml': configMap('api', '2') });
  const web = await world.world.pointer('web');
  assert.match(web.failed?.faults[0]?.message ?? '', /has no refs\/heads\/main/);
  assert.equal((await world.world.pointer('api')).revision, 2);
  await world.push('values', 'd', { 'prod.yaml': 'color: red\n' });
  assert.equal((await world.world.pointer('web')).failed, undefined);
});

test('a repository that is not configured is a fault with file and line', async () => {
  const world = new TwoRepositories();
  const file = start['applications/web.yaml'].replace('repository: values', 'repository: other');
  await world.push('fleet', 'a', { ...start, 'applications/web.yaml': file });
  const state = await world.world.state('fleet');
  assert.equal(state.failing, true);
});
