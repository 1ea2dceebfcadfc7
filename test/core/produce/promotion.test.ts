import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environments, promoteEnvironment } from '../../../cli/environments.ts';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { isoTime } from '../../../core/model/time.ts';
import { poll } from '../../../core/poll.ts';
import { produce } from '../../../core/produce.ts';
import { promoteEnvironments } from '../../../core/promote-environments.ts';
import { PromotedGit } from '../../../core/promoted-git.ts';
import { CountingIds } from '../../fakes/manual-clock.ts';
import { application, configMap, ProduceWorld } from './world.ts';

const url = 'https://git.example/fleet.git';
const config: StackConfigInput = {
  repositories: [
    { name: 'dev', url, applications: 'envs/dev' },
    {
      name: 'prod',
      url,
      applications: 'envs/prod',
      promotion: { by: 'pointer', from: 'dev', approval: true },
    },
  ],
  clusters: ['dev', 'prod'].map((name) => ({ name, access: { type: 'eks' as const, name } })),
};

const files = (value: string) => ({
  'envs/dev/web.yaml': application('web-dev', { source: '{path: web}', clusters: '{names: [dev]}' }),
  'envs/prod/web.yaml': application('web-prod', { source: '{path: web}', clusters: '{names: [prod]}' }),
  'web/a.yaml': configMap('web', value),
});

/** The snapshot function and the one that promotes, over one store. */
class Installation {
  readonly world = new ProduceWorld();
  readonly deps = {
    ...this.world.deps(config),
    bucket: 'records',
    git: new PromotedGit(this.world.git, this.world.store),
    ids: new CountingIds(),
    whoAmI: async () => 'arn:aws:iam::111122223333:user/ada',
    alarms: { read: async () => new Map() },
    queue: { poll: async () => undefined },
  };

  /** A push to the branch, told of for both, as far as it concerns them; dev is healthy with it at once. */
  async push(digit: string, value: string): Promise<string[]> {
    const before = this.world.git.current;
    const sha = this.world.git.push(digit, files(value));
    const outcomes: string[] = [];
    for (const name of ['dev', 'prod'])
      outcomes.push(await produce(await this.world.pushed(sha, before, name), 1, this.deps));
    await this.run();
    return outcomes;
  }

  async run(): Promise<void> {
    const target = { cluster: 'dev', application: 'web-dev' };
    const { revision, snapshot } = await this.world.pointer('web-dev', 'dev');
    const at = isoTime(this.world.clock.now());
    const inventory = {
      version: 1,
      seq: 1,
      target,
      entries: {},
      applied: { revision, snapshot, sha: 'x', runId: 'r', at, since: at },
      health: { status: 'Healthy', message: '', at, since: at },
    };
    await this.world.store.put(keys.inventory(target), JSON.stringify(inventory), 'any');
  }

  /** A look of who promotes, and the poll that it asks for. */
  async look(): Promise<string> {
    const [prod] = await promoteEnvironments([], this.deps);
    this.world.bus.events.length = 0;
    await poll(['dev', 'prod'], this.deps);
    for (const { type, detail } of this.world.bus.events.splice(0))
      if (type === 'PushReceived') await produce(detail, 1, this.deps);
    return prod?.kind ?? '';
  }

  async prod(): Promise<string | undefined> {
    const found = await this.world.store.get(keys.desired({ cluster: 'prod', application: 'web-prod' }));
    return found && (await this.world.pointer('web-prod')).commit.sha[0];
  }
}

test('an environment follows the commit that was promoted to it, and not the branch; back too', async () => {
  const installation = new Installation();
  const { deps } = installation;
  const [, untracked] = await installation.push('a', '1');
  assert.equal(untracked, 'refs/heads/main is not tracked: repository prod follows promoted:dev');
  assert.equal(await installation.look(), 'waits');
  assert.equal(await installation.prod(), undefined);
  const { config: parsed } = deps;
  const approved = await promoteEnvironment(deps, parsed, { environment: 'prod' });
  assert.match(approved.text, /approved aaaaaaa for prod/);
  assert.equal(await installation.look(), 'promoted');
  assert.equal(await installation.prod(), 'a');

  await installation.push('b', '2');
  assert.equal(await installation.look(), 'waits');
  assert.equal(await installation.prod(), 'a');
  const shown = (await environments(deps, parsed)).text
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | '));
  assert.match(shown[1] ?? '', /^dev \| - \| bbbbbbb \| \S+ \| - \| -/);
  assert.match(shown[2] ?? '', /^prod \| dev \| aaaaaaa \| \S+ \| ada \| bbbbbbb: waits for `trueup promote/);

  await promoteEnvironment(deps, parsed, { environment: 'prod', reason: 'looked at it' });
  await installation.look();
  assert.equal(await installation.prod(), 'b');
  const back = await promoteEnvironment(deps, parsed, { environment: 'prod', commit: 'aaaaaaaa' });
  assert.match(back.text, /prod goes back to aaaaaaa/);
  assert.equal(await installation.look(), 'waits');
  assert.equal(await installation.prod(), 'a');
});
