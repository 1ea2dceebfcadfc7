import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { commitFiles, push } from '../../git/worktree.ts';
import { GitHost, GitWorld } from './git-world.ts';
import { application, configMap } from './world.ts';

const host = await GitHost.start();
after(() => host.stop());

test('a base of a declared repository is built with a push, and again only where the push names another commit', async () => {
  const clone = await host.repository('bases');
  const base = (value: string) => ({
    'web/kustomization.yaml': 'resources: [web.yaml]\n',
    'web/web.yaml': configMap('web', value),
  });
  const commit = async (value: string): Promise<string> => {
    const sha = await commitFiles(clone, base(value), value);
    await push(clone, 'main', { force: true });
    return sha;
  };
  const bases = [{ url: host.url('bases'), tokenSecret: 'git/token' }];
  const world = await GitWorld.start(host, 'fleet', { sources: { bases } });
  const fleet = (sha: string) => ({
    'applications/web.yaml': application('web', { source: '{path: apps/web}' }),
    'apps/web/kustomization.yaml': `resources: ["${host.url('bases')}//web?ref=${sha}"]\n`,
  });
  const built = async () => {
    const { snapshot } = await world.world.pointer('web');
    const stored = await world.world.store.get(keys.snapshot('web', snapshot));
    return decodeSnapshot(snapshot, stored?.text ?? '').objects[0]?.['data'];
  };
  const first = await commit('1');
  assert.deepEqual(await world.push(fleet(first)), ['web']);
  assert.deepEqual(await built(), { value: '1' });
  const second = await commit('2');
  assert.deepEqual(await world.push({ 'README.md': 'x' }), []);
  assert.deepEqual(await world.push(fleet(second)), ['web']);
  assert.deepEqual(await built(), { value: '2' });
});
