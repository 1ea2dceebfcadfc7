import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { followAudit, InventoryIndex } from '../../core/audit.ts';
import { keys } from '../../core/contract/keys.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { auditLine, logPayload, type AuditChange } from './audit/audit-event.ts';
import { configMap, deployment, scriptedWorld, type SweepWorld } from './sweep/sweep-world.ts';

const config = parseStackConfig({
  repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
  clusters: ['east', 'west'].map((name) => ({ name, access: { type: 'eks', name }, audit: name === 'east' })),
});

let world: SweepWorld;
let index: InventoryIndex;
const asked: string[] = [];

beforeEach(async () => {
  world = scriptedWorld();
  index = new InventoryIndex(world.store, world.clock);
  asked.length = 0;
  await world.deploy('web', [deployment('front'), configMap('front')]);
  await world.deploy('shop', [configMap('shop')]);
});

async function follow(payload: unknown) {
  const queues = {
    sweep: async (request: object, delay?: number): Promise<void> => {
      asked.push(`${'application' in request ? String(request.application) : ''} in ${delay} s`);
    },
  };
  const { store, clock } = world;
  return followAudit(payload, { store, clock, queues, config, index });
}

function line(change: AuditChange = {}): string {
  return auditLine(world.clock.now(), change);
}

describe('a batch of an audit log', () => {
  const cases: readonly (readonly [what: string, change: AuditChange, targets: readonly string[]])[] = [
    ['an edit', {}, ['web']],
    ['a scale', { subresource: 'scale' }, ['web']],
    ['a deletion', { verb: 'delete' }, ['web']],
    ['an edit of another', { resource: 'configmaps', name: 'shop' }, ['shop']],
    [
      'a deletion of a whole kind',
      { verb: 'deletecollection', resource: 'configmaps', name: '' },
      ['web', 'shop'],
    ],
    ['a deletion of the namespace', { verb: 'delete', resource: 'namespaces', name: 'web' }, ['web', 'shop']],
    [
      'a deletion of another namespace',
      { verb: 'delete', resource: 'namespaces', namespace: 'x', name: 'x' },
      [],
    ],
    ['a dry run', { dryRun: true }, []],
    ['a write to status', { subresource: 'status' }, []],
    ['a refusal', { code: 403 }, []],
    ['a write to what is nobody’s', { name: 'other' }, []],
    ['a write to the name of another kind', { resource: 'statefulsets', group: 'apps' }, []],
    ['a create without a name', { verb: 'create', resource: 'configmaps', name: '' }, []],
  ];
  for (const [what, change, targets] of cases) {
    it(`with ${what} asks for ${targets.length === 0 ? 'nothing' : targets.join(' and ')}`, async () => {
      const outcome = await follow(logPayload([line(change)]));
      assert.deepEqual(asked.toSorted(), targets.map((target) => `${target} in 0 s`).toSorted());
      assert.deepEqual([outcome.targets, outcome.asked], [targets.length, targets.length]);
    });
  }

  it('asks once for each target, however many writes there are, and never keeps a body', async () => {
    const edits = Array.from({ length: 1000 }, (_, count) => line({ id: `e-${count}` }));
    const outcome = await follow(logPayload(edits));
    assert.deepEqual([outcome.writes, outcome.targets, asked], [1000, 1, ['web in 0 s']]);
    const kept = await world.store.get(keys.audit({ cluster: 'east', application: 'web' }));
    assert.match(kept?.text ?? '', /"user":"alice".*"addresses":\["192.0.2.7"\]/);
    assert.doesNotMatch(kept?.text ?? '', /not-for-records/);
  });

  it('of a control message, of another log group, or of other logs asks for nothing', async () => {
    await follow({ messageType: 'CONTROL_MESSAGE', owner: 'CloudwatchLogs', logEvents: [] });
    await follow(logPayload([line()], '/aws/eks/west/cluster'));
    await follow(logPayload([line()], '/aws/lambda/east'));
    const text = 'I1123 12:00:00.000 1 controller.go:1] a line of the scheduler';
    const outcome = await follow(logPayload([text, line().slice(0, 300)]));
    assert.deepEqual([outcome.lines, outcome.unreadable, asked], [2, 2, []]);
  });

  it('that is no batch fails, so that it comes again', async () => {
    await assert.rejects(follow({ messageType: 'OTHER' }));
  });

  it('knows what was applied since, once it has looked again', async () => {
    await follow(logPayload([line()]));
    await world.deploy('late', [configMap('late')]);
    const late = () =>
      logPayload([line({ id: `l-${world.clock.now()}`, resource: 'configmaps', name: 'late' })]);
    assert.equal((await follow(late())).targets, 0);
    world.clock.advance(30_000);
    assert.equal((await follow(late())).targets, 1);
  });
});
