import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositoryConfig } from '../../../core/contract/repository.ts';
import type { ProduceDeps } from '../../../core/produce.ts';
import { MemoryWorktree } from '../../fakes/memory-worktree.ts';
import { configMap } from '../produce/world.ts';
import { EnvironmentWorld, environmentConfig, shop } from './environment-world.ts';

const pin = 'b'.repeat(40);
const base = (name: string, ref = pin) => `"https://git.example/acme/${name}//web?ref=${ref}"`;

/** An installation that declares three bases, of which the application has one, or one by way of that. */
class BaseWorld extends EnvironmentWorld {
  /** Names of bases that were checked out. */
  readonly opened: string[] = [];
  override config = {
    ...environmentConfig,
    sources: {
      bases: ['web', 'shared', 'private'].map((name) => ({ url: `https://git.example/acme/${name}` })),
    },
  };

  override deps(config?: Parameters<EnvironmentWorld['deps']>[0]): ProduceDeps {
    const deps = super.deps(config);
    const checkout = async (repository: RepositoryConfig, sha: string) => {
      const name = /acme\/(\w+)$/.exec(repository.url)?.[1];
      if (name === undefined) return this.git.checkout(repository, sha);
      this.opened.push(name);
      const nested = name === 'web' ? base('shared') : 'a.yaml';
      const text = `resources: [${nested}]\n`;
      return new MemoryWorktree({ 'web/kustomization.yaml': text, 'web/a.yaml': configMap('base', '1') });
    };
    const { git } = this;
    const heads: ProduceDeps['git']['heads'] = (all) => git.heads(all);
    const kustomize = async () => configMap('built', '1');
    return {
      ...deps,
      git: { head: () => git.head(), heads, checkout },
      renderers: { ...deps.renderers, kustomize },
    };
  }
}

async function proposing(resource: string): Promise<BaseWorld> {
  const files = (entry: string) => ({
    ...shop('1'),
    'apps/shop/kustomization.yaml': `resources: [a.yaml, ${entry}]\n`,
  });
  const world = new BaseWorld();
  world.git.push('a', files(base('web')));
  world.open('c', files(resource));
  await world.look();
  return world;
}

for (const [what, resource] of [
  ['another commit of the base that its application has', base('web', 'd'.repeat(40))],
  ['a base that this one is built from', base('shared')],
] as const) {
  test(`a pull request may take ${what}`, async () => {
    const world = await proposing(resource);
    assert.ok(await world.environment('shop-pr-1'), world.comment('1'));
  });
}

test('a pull request may not take another declared base, which is not even fetched', async () => {
  const world = await proposing(base('private'));
  assert.equal(await world.environment('shop-pr-1'), undefined);
  assert.match(
    world.comment('1'),
    /kustomization\.yaml.*is a base that shop does not have on its tracked branch/s,
  );
  assert.equal(world.opened.includes('private'), false);
});
