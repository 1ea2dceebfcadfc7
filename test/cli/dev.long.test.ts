import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { LocalWorld } from './local-world.ts';

let cluster: TestCluster;
let world: LocalWorld;
before(async () => {
  cluster = await testCluster('cli-dev');
  world = await LocalWorld.open(cluster.kubeconfigPath);
});
after(async () => {
  await world.close();
  await cluster.stop();
});

/** All that a program has printed, on both streams; `seen` waits for more. */
function listen(child: ChildProcess) {
  let text = '';
  const hear = (part: Buffer): void => {
    text += String(part);
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  return async (pattern: RegExp): Promise<string> => {
    const deadline = Date.now() + 60_000;
    while (!pattern.test(text)) {
      if (Date.now() > deadline) throw new Error(`never saw ${String(pattern)} in:\n${text}`);
      await new Promise((later) => void setTimeout(later, 50));
    }
    const seen = text;
    text = '';
    return seen;
  };
}

const configMap = (value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: front}\ndata: {colour: ${value}}\n`;

test('dev: plans on save, tells faults with their place and goes on, applies when told to', async () => {
  const { namespace } = cluster;
  const args = ['dev', 'app', '--app', 'web', '--namespace', namespace];
  await world.write('app/front.yaml', configMap('red'));
  const dev = world.start(args);
  const seen = listen(dev);
  await seen(/create ConfigMap .*1 to create/s);
  await world.write('app/front.yaml', `${configMap('blue')}  oops: [\n`);
  await seen(/front\.yaml\n.*trueup: app\/front\.yaml:\d+/s);
  await world.write('app/front.yaml', configMap('blue'));
  await seen(/1 to create/);
  dev.kill('SIGINT');
  assert.deepEqual(await once(dev, 'exit'), [0, null]);

  const applying = world.start([...args, '--apply']);
  const told = listen(applying);
  await told(/created .*applied/s);
  await world.write('app/front.yaml', configMap('green'));
  await told(/updated .*applied/s);
  // The records lie beside the folder: what an apply writes asks for no other one.
  await world.write('app/front.yaml', configMap('yellow'));
  const last = await told(/updated .*applied/s);
  assert.equal(last.match(/──/g)?.length, 1);
  applying.kill('SIGINT');
  assert.deepEqual(await once(applying, 'exit'), [0, null]);
  const path = `/api/v1/namespaces/${namespace}/configmaps/front`;
  const { body } = await cluster.admin.ask('GET', path);
  assert.match(JSON.stringify(body), /"colour":"yellow"/);
});
