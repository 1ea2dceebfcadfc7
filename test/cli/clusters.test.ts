import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { clusters, forget } from '../../cli/clusters.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { scopeOf } from '../../core/contract/discovery.ts';
import { keys } from '../../core/contract/keys.ts';
import { isoTime } from '../../core/model/time.ts';
import { updateRegistry, type Listings } from '../../core/sweep/update-registry.ts';
import { configMap } from '../core/sweep/sweep-world.ts';
import { cliWorld, linesOf, type CliWorld } from './cli-world.ts';

const role = 'arn:aws:iam::222222222222:role/trueup';
const config = parseStackConfig({
  repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
  clusters: [
    { name: 'east', labels: { stage: 'prod' }, access: { type: 'eks', name: 'east-1', region: 'eu-west-1' } },
    { name: 'edge', access: { type: 'kubeconfig', secret: 'acme/edge' } },
  ],
  discovery: [{ tags: { trueup: 'yes' }, roleArn: role, region: 'us-east-1', labels: { stage: 'test' } }],
});

let cli: CliWorld;
beforeEach(() => {
  cli = cliWorld();
});

/** What a look finds in the other account, or why it fails. */
async function look(names: readonly string[] | string): Promise<void> {
  const { store, clock } = cli.world;
  const scope = scopeOf({ roleArn: role, region: 'us-east-1' });
  const eks = (name: string) => ({
    name,
    arn: `arn:aws:eks:us-east-1:222222222222:cluster/${name}`,
    tags: { trueup: 'yes' },
    version: '1.34',
  });
  const answer = typeof names === 'string' ? names : { clusters: names.map(eks), unread: undefined };
  const before = await store.get(keys.clusterRegistry);
  const listings: Listings = new Map([[scope, answer]]);
  const known = before && JSON.parse(before.text);
  const next = updateRegistry(known, config, listings, isoTime(clock.now()));
  await store.put(keys.clusterRegistry, JSON.stringify(next), 'any');
}

describe('trueup clusters', () => {
  it('tells where each is, whether it answers, and what nobody serves', async () => {
    const { world, session } = cli;
    await look(['lab', 'east']);
    await world.deploy('web', [configMap('front')]);
    await world.sweepAll();
    world.clock.advance(300_000);
    assert.deepEqual(linesOf(await clusters(session, config)), [
      'CLUSTER  ACCOUNT       REGION     VERSION  STATE      CHECKED  TARGETS  LABELS',
      'east     -             eu-west-1  v1.36.3  Reachable  5m       1        stage=prod',
      'edge     -             -          -        Unchecked  -        0        -',
      'lab      222222222222  us-east-1  1.34     Unchecked  -        0        stage=test',
      '',
      'edge: no sweep has looked at it yet',
      'lab: no sweep has looked at it yet',
      'arn:aws:eks:us-east-1:222222222222:cluster/east is not served: the name east is that of a cluster of the stack configuration; give its discovery a namePrefix, or declare it by its ARN under another name',
    ]);
  });

  it('says why one does not answer, and since when nobody could look', async () => {
    const { world, session } = cli;
    await look(['lab']);
    await world.deploy('web', [configMap('front')]);
    world.cluster.unreachable = 'no answer within 5 s';
    await world.sweepAll();
    await look('role x: AWS does not let trueup take it on');
    const [, east = '', , lab = '', , ...messages] = linesOf(await clusters(session, config));
    assert.match(east, /^east .* Unreachable /);
    assert.match(lab, /^lab .* Unchecked /);
    assert.deepEqual(messages, [
      'east: cluster east: no answer within 5 s',
      'edge: no sweep has looked at it yet',
      'lab: no sweep has looked at it yet',
      `not looked for since 2026-11-23T12:00:00.000Z (${role} us-east-1 trueup=yes): role x: AWS does not let trueup take it on`,
    ]);
  });

  it('one that is missing is forgotten by a person alone, who says why', async () => {
    const { session } = cli;
    await look(['lab']);
    await assert.rejects(forget(session, 'lab', 'gone'), /cluster lab: is still there/);
    await look([]);
    const lines = linesOf(await clusters(session, config));
    assert.match(lines.find((line) => line.startsWith('lab ')) ?? '', / Missing /);
    assert.ok(lines.some((line) => line.includes('trueup clusters --forget lab')));
    await forget(session, 'lab', 'replaced by lab-2');
    const { data } = await clusters(session, config);
    assert.ok(!JSON.stringify(data).includes('"name":"lab","origin"'));
    assert.match(JSON.stringify(data), /"by":"arn:aws:sts::123456789012:assumed-role\/Admin\/alice"/);
    assert.match(JSON.stringify(data), /"reason":"replaced by lab-2"/);
  });
});
