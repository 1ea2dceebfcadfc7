import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { limitRequests } from '../../../core/sweep/limit-requests.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

test('so many requests at a time and no more; one that fails gives its place back', async () => {
  const cluster = new ScriptedCluster();
  let [running, most] = [0, 0];
  cluster.get = async ({ name }) => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    if (name === 'app3') throw new Error('refused');
    return undefined;
  };
  const limited = limitRequests(cluster, 4);
  const addresses = Array.from({ length: 20 }, (_, index) => ({
    apiVersion: 'v1',
    plural: 'pods',
    name: `app${index}`,
  }));
  const answers = await Promise.allSettled(addresses.map(async (address) => limited.get(address)));
  assert.deepEqual([most, running], [4, 0]);
  assert.equal(answers.filter(({ status }) => status === 'rejected').length, 1);
});
