import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStackConfig, type StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import { forgetCluster } from '../../../core/forget-cluster.ts';
import { produce } from '../../../core/produce.ts';
import type { EksListing } from '../../../core/ports.ts';
import { followClusters } from '../../../core/sweep/follow-clusters.ts';
import { sweepFleet } from '../../../core/sweep.ts';
import { ProduceWorld, application, configMap } from '../produce/world.ts';

type Answer = EksListing | Error;

const files = {
  'applications/web.yaml': application('web', { clusters: '{selector: {matchLabels: {stage: prod}}}' }),
  'apps/web/a.yaml': configMap('web', '1'),
};
const pruned = {
  ...files,
  'applications/web.yaml': application('web', {
    clusters: '{selector: {matchLabels: {stage: prod}}}',
    onDelete: 'prune',
  }),
};

/** EKS clusters by name and stage, as tags tell it. */
function listed(stages: Readonly<Record<string, string>>): EksListing {
  const clusters = Object.entries(stages).map(([name, stage]) => {
    const arn = `arn:aws:eks:eu-central-1:111111111111:cluster/${name}`;
    return { name, arn, tags: { trueup: 'yes', stage }, version: '1.34', status: 'ACTIVE' };
  });
  return { clusters, unread: undefined };
}

/** One repository and one discovery; the fleet sweep and the snapshot function over the same records. */
class FleetWorld {
  readonly world = new ProduceWorld();
  config: StackConfigInput = {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
    discovery: [{ tags: { trueup: 'yes' }, labelsFromTags: { stage: 'stage' } }],
  };
  answer: Answer = listed({});

  async push(digit: string, content: Record<string, string> = files): Promise<string> {
    return this.world.push(digit, content, { config: this.config });
  }

  get deps() {
    const finder = {
      list: async (): Promise<EksListing> => {
        if (this.answer instanceof Error) throw this.answer;
        return this.answer;
      },
    };
    return { ...this.world.deps(this.config), finder };
  }

  /** Looks for clusters; gives how many repositories were woken, after they did what that asks of them. */
  async look(answer: Answer): Promise<number> {
    this.answer = answer;
    this.world.bus.events.length = 0;
    await followClusters(this.deps);
    const hints = this.world.bus.events.splice(0);
    for (const { type, detail } of hints) {
      assert.ok(type === 'PushReceived');
      await produce(detail, 1, this.world.deps(this.config));
    }
    return hints.length;
  }

  /** `CLUSTER STATE` of each pointer. */
  async pointers(): Promise<string[]> {
    const found = await Array.fromAsync(this.world.store.list('desired/'));
    return Promise.all(
      found.map(async (key) => {
        const cluster = key.split('/')[1] ?? '';
        const { state, settings } = await this.world.pointer('web', cluster);
        return [cluster, state, ...(state === 'gone' ? [settings.onDelete] : [])].join(' ');
      }),
    );
  }
}

describe('clusters that are found', () => {
  test('one that is added after the last push is rendered for; nothing new, nobody is woken', async () => {
    const fleet = new FleetWorld();
    await fleet.push('a');
    assert.deepEqual(await fleet.pointers(), []);
    assert.equal(await fleet.look(listed({ one: 'prod', two: 'test' })), 1);
    assert.deepEqual(await fleet.pointers(), ['one present']);
    const before = fleet.world.store.writes.length;
    assert.equal(await fleet.look(listed({ one: 'prod', two: 'test' })), 0);
    assert.deepEqual(fleet.world.store.writes.slice(before), []);
    assert.equal(await fleet.look(listed({ one: 'prod', two: 'test', three: 'prod' })), 1);
    assert.deepEqual(await fleet.pointers(), ['one present', 'three present']);
    assert.deepEqual(fleet.world.takeRuns(), ['web on one', 'web on three']);
  });

  test('one that is relabelled comes and goes as its Application says', async () => {
    const fleet = new FleetWorld();
    await fleet.push('a', pruned);
    await fleet.look(listed({ one: 'test', two: 'prod' }));
    assert.deepEqual(await fleet.pointers(), ['two present']);
    assert.equal(await fleet.look(listed({ one: 'prod', two: 'test' })), 1);
    assert.deepEqual(await fleet.pointers(), ['one present', 'two gone prune']);
  });

  test('one that is gone keeps its targets, until a person has it forgotten', async () => {
    const fleet = new FleetWorld();
    await fleet.push('a', pruned);
    await fleet.look(listed({ one: 'prod' }));
    assert.equal(await fleet.look(listed({})), 0);
    await fleet.push('b', { ...pruned, 'apps/web/a.yaml': configMap('web', '2') });
    assert.deepEqual(await fleet.pointers(), ['one present']);
    const why = { at: '2026-11-23T12:00:00.000Z', by: 'ada', reason: 'replaced' };
    await assert.rejects(
      forgetCluster(fleet.world.store, 'two', why),
      /cluster two: was not found by a discovery/,
    );
    await forgetCluster(fleet.world.store, 'one', why);
    assert.equal(await fleet.look(listed({})), 1);
    assert.deepEqual(await fleet.pointers(), ['one gone prune']);
  });

  test('one that is there is not forgotten', async () => {
    const fleet = new FleetWorld();
    await fleet.look(listed({ one: 'prod' }));
    const why = { at: '2026-11-23T12:00:00.000Z', by: 'ada', reason: '' };
    await assert.rejects(forgetCluster(fleet.world.store, 'one', why), /cluster one: is still there/);
  });
});

describe('what cannot be looked at', () => {
  test('leaves what is known as it is, and is told', async () => {
    const fleet = new FleetWorld();
    await fleet.push('a', pruned);
    await fleet.look(listed({ one: 'prod' }));
    for (const error of [
      new Retry({ subject: 'EKS clusters', message: 'throttled' }),
      new Blocked({ subject: 'role x', message: 'denied' }),
    ]) {
      fleet.answer = error;
      const { failures } = await followClusters(fleet.deps);
      assert.deepEqual(failures, [`own account own region trueup=yes: ${error.message}`]);
      await fleet.push(error instanceof Retry ? 'b' : 'c', pruned);
      assert.deepEqual(await fleet.pointers(), ['one present']);
    }
  });

  test('takes nothing away where it never answered, though the registry is lost', async () => {
    const fleet = new FleetWorld();
    await fleet.push('a', pruned);
    await fleet.look(listed({ one: 'prod' }));
    await fleet.world.store.delete(keys.clusterRegistry, 'any');
    await fleet.push('b', { ...pruned, 'apps/web/a.yaml': configMap('web', '2') });
    assert.deepEqual(await fleet.pointers(), ['one present']);
    assert.equal(await fleet.look(new Retry({ subject: 'EKS clusters', message: 'throttled' })), 1);
    assert.deepEqual(await fleet.pointers(), ['one present']);
    assert.equal(await fleet.look(listed({ one: 'prod' })), 1);
    assert.deepEqual(await fleet.pointers(), ['one present']);
    assert.equal((await fleet.world.pointer('web', 'one')).revision, 2);
  });

  test('does not keep the clusters that are known from their sweep', async () => {
    const fleet = new FleetWorld();
    await fleet.look(listed({ one: 'prod' }));
    const asked = (): string[] =>
      fleet.world.queues.sweeps.splice(0).map((request) => ('cluster' in request ? request.cluster : ''));
    let atLook: string[] = [];
    const list = async () => {
      atLook = asked();
      return listed({ one: 'prod', two: 'prod' });
    };
    assert.deepEqual(await sweepFleet({ ...fleet.deps, finder: { list } }, 'schedule'), []);
    // One that is back may have been given up: Git is looked at before it is swept.
    assert.deepEqual([atLook, asked()], [['one'], []]);
  });
});

test('a render that knows older clusters loses to one that knows newer', async () => {
  const fleet = new FleetWorld();
  await fleet.push('a', pruned);
  const { git } = fleet.world;
  const checkout = git.checkout.bind(git);
  // While the push is looked at a cluster appears, and another handler renders for it.
  git.checkout = async (...given) => {
    git.checkout = checkout;
    const found = await checkout(...given);
    await fleet.look(listed({ one: 'prod' }));
    return found;
  };
  await fleet.push('b', { ...pruned, 'apps/web/a.yaml': configMap('web', '2') });
  assert.deepEqual(await fleet.pointers(), ['one present']);
});

test('a deployment that changes declared clusters wakes those that were rendered, and is told once', async () => {
  const fleet = new FleetWorld();
  const access = { type: 'eks', name: 'x' } as const;
  const { repositories } = fleet.config;
  fleet.config = { repositories, clusters: [{ name: 'one', access, labels: { stage: 'prod' } }] };
  assert.equal(await fleet.look(listed({})), 0);
  await fleet.push('a');
  const clusters = ['one', 'two'].map((name) => ({ name, access, labels: { stage: 'prod' } }));
  fleet.config = { repositories, clusters };
  assert.equal(await fleet.look(listed({})), 1);
  assert.deepEqual(await fleet.pointers(), ['one present', 'two present']);
  assert.equal(await fleet.look(listed({})), 0);
});

test('a hint that could not be sent is sent with the next look', async () => {
  const fleet = new FleetWorld();
  await fleet.push('a');
  const { bus } = fleet.world;
  const publish = bus.publish.bind(bus);
  bus.publish = () => Promise.reject(new Retry({ subject: 'bus', message: 'away' }));
  await assert.rejects(fleet.look(listed({ one: 'prod' })), /away/);
  bus.publish = publish;
  assert.equal(await fleet.look(listed({ one: 'prod' })), 1);
  assert.deepEqual(await fleet.pointers(), ['one present']);
});

test('a discovery that fails for three sweeps is told of while it does, and once when it does no more', async () => {
  const fleet = new FleetWorld();
  const told = async (answer: Answer): Promise<number[]> => {
    fleet.answer = answer;
    fleet.world.metrics.data.length = 0;
    await sweepFleet(fleet.deps, 'schedule');
    fleet.world.clock.advance(5 * 60_000);
    return fleet.world.metrics.data.flatMap(({ name, value }) =>
      name === 'FailedDiscoveries' ? [value] : [],
    );
  };
  const refused = new Blocked({ subject: 'account 1', message: 'may not list' });
  const whole = listed({ one: 'prod' });
  const half = { ...whole, unread: { names: ['two'], reason: 'throttled' } };
  const values: number[][] = [];
  for (const answer of [whole, refused, refused, whole, refused, half, refused, refused, whole, whole])
    values.push(await told(answer));
  assert.deepEqual(values, [[], [], [], [], [], [], [1], [1], [0], []]);
});

test('the stack configuration of a world with a discovery needs no declared cluster', () => {
  const { config } = new FleetWorld();
  assert.deepEqual(parseStackConfig(config).clusters, []);
  assert.throws(
    () => parseStackConfig({ ...config, discovery: [] }),
    /clusters: name a cluster, or a discovery/,
  );
});
