import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { Retry } from '../../../core/errors.ts';
import { pollPulls } from '../../../core/poll-pulls.ts';
import { previewPull } from '../../../core/preview-pull.ts';
import { application, configMap, files } from '../produce/world.ts';
import { PullWorld } from './pull-world.ts';

const look = { kind: 'changed', version: 1, preview: 'look', repository: 'fleet', id: '1' } as const;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Applications of one ConfigMap each. */
function many(value: string): Record<string, string> {
  const pairs = names.flatMap((name) => [
    [`applications/${name}.yaml`, application(name)],
    [`apps/${name}/a.yaml`, configMap(name, value)],
  ]);
  return Object.fromEntries(pairs);
}

/** A pull request that changes all of many applications, each of which takes `seconds` to render. */
async function large(seconds: number) {
  const world = new PullWorld();
  await world.followed('a', many('1'));
  const head = world.proposed('b', many('2'));
  world.host.open('fleet', { branch: 'topic', sha: head });
  const { store, clock } = world.produce;
  const rendered: string[] = [];
  const put = store.put.bind(store);
  store.put = async (key, ...given) => {
    if (key.includes('/kept/snapshots/')) {
      rendered.push(key);
      clock.advance(seconds * 1000);
    }
    return put(key, ...given);
  };
  return { world, head, rendered };
}

/** A pull request that changes one application. */
async function small() {
  const world = new PullWorld();
  await world.followed('a', files('1'));
  const head = world.proposed('b', files('2'));
  world.host.open('fleet', { branch: 'topic', sha: head });
  return { world, head };
}

describe('a render that takes longer than a function lives', () => {
  it('goes on from where it was left, and renders each application once', async () => {
    const { world, head, rendered } = await large(150);
    assert.match(await world.changed(), /no time for \d of its applications/);
    assert.equal(world.status(head), 'pending: being rendered');
    assert.equal(world.comment(), '');
    let tries = 1;
    for (; world.dues.splice(0).some(({ preview }) => preview === 'look'); tries += 1)
      await previewPull(look, world.deps);
    assert.equal(world.status(head), 'success: 8 applications on 1 cluster');
    assert.equal(rendered.length, names.length);
    assert.ok(tries > 2, `${tries} tries`);
    assert.deepEqual(await world.answered(), ['8 applications on 1 cluster']);
    assert.match(world.comment(), /`h` \| `prod`/);
  });

  it('takes over what an earlier head had', async () => {
    const { world, rendered } = await large(1);
    await world.changed();
    const next = world.proposed('c', { ...many('2'), 'apps/a/a.yaml': configMap('a', '3') });
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: next, isFork: false } });
    rendered.splice(0);
    await world.changed();
    assert.equal(world.status(next), 'success: 8 applications on 1 cluster');
    assert.equal(rendered.length, 1);
    assert.match(world.comment(), /-     "1"\n\+     "3"/);
  });

  it('renders again what was thrown away by age', async () => {
    const { world, rendered } = await large(1);
    await world.changed();
    const { store } = world.produce;
    for (const key of rendered.splice(0)) await store.delete(key, 'any');
    const next = world.proposed('c', { ...many('2'), 'README.md': 'words' });
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: next, isFork: false } });
    await world.changed();
    assert.equal(rendered.length, names.length);
    assert.equal(world.status(next), 'success: 8 applications on 1 cluster');
    assert.doesNotMatch(world.comment(), /\(gone\)/);
  });

  it('that gets nowhere is given up, and says so', async () => {
    const { world, head } = await large(300);
    const { deps } = world;
    const { clock } = world.produce;
    // Whatever is begun, its time is over.
    const never = () => ({ ...deps, deadline: clock.now() });
    await previewPull(look, never());
    let tries = 1;
    for (; world.dues.splice(0).length > 0; tries += 1) await previewPull(look, never());
    assert.equal(tries, 20);
    assert.match(world.status(head), /^failure: could not be previewed: .*no time for 8/);
  });
});

describe('an event of a head that is being rendered', () => {
  it('begins it no second time', async () => {
    const { world, head } = await small();
    const outcomes: string[] = [];
    world.produce.git.onHead = async () => {
      world.produce.git.onHead = async () => undefined;
      world.host.change('fleet', '1', { labels: ['urgent'] });
      outcomes.push(await world.changed());
    };
    await world.changed();
    assert.deepEqual(outcomes, ['it is being rendered already']);
    assert.equal(world.status(head), 'success: 1 application on 1 cluster');
    assert.equal(world.questions.length, 1);
  });

  it('begins it anew where its function died', async () => {
    const { world, head } = await small();
    // Killed: nothing of it is caught.
    const { store } = world.produce;
    const died = new Promise<never>(() => undefined);
    world.produce.git.onHead = async () => died;
    void world.changed();
    while ((await store.get(keys.preview('fleet', '1'))) === undefined || world.status(head) === 'none')
      await new Promise((resolve) => setImmediate(resolve));
    world.produce.git.onHead = async () => undefined;
    assert.equal(await world.changed(), 'it is being rendered already');
    world.produce.clock.advance(300_000);
    await world.changed();
    assert.equal(world.status(head), 'success: 1 application on 1 cluster');
  });
});

describe('one comment', () => {
  it('is made although a cluster answers while it is being written', async () => {
    const { world } = await small();
    await world.withNamespaces();
    const made: string[] = [];
    const answers: string[] = [];
    // As hosts do it: what is there is looked up first, and what comes meanwhile is not seen.
    world.host.comment = async (_repository, _id, { text }) => {
      const isNew = made.length === 0;
      answers.push(...(await world.answered()));
      made.splice(isNew ? made.length : 0, isNew ? 0 : 1, text);
      return 'written';
    };
    await world.changed();
    assert.deepEqual(answers, ['it is being told of, and looked at again after that']);
    assert.equal(made.length, 1);
    assert.doesNotMatch(made[0] ?? '', /being asked/);
  });

  it('has the answer that came while it was being written', async () => {
    const { world } = await small();
    await world.withNamespaces();
    const comment = world.host.comment.bind(world.host);
    let isFirst = true;
    world.host.comment = async (...given) => {
      const outcome = await comment(...given);
      if (isFirst) {
        isFirst = false;
        await world.answered();
      }
      return outcome;
    };
    await world.changed();
    assert.match(world.comment(), /\| `web` \| `prod` \| 1 \| 0 \| 0 \| 0 \| 0 \|/);
    assert.doesNotMatch(world.comment(), /being asked/);
  });

  it('comes from whoever asks last, where whoever had the turn died', async () => {
    const { world, head } = await small();
    const { store, clock } = world.produce;
    await world.changed();
    const key = keys.preview('fleet', '1');
    const record: object = JSON.parse((await store.get(key))?.text ?? '{}');
    const turn = { holder: 1, until: '2026-11-23T12:05:10.000Z', again: false };
    await store.put(key, JSON.stringify({ ...record, turn }), 'any');
    const due = { kind: 'due', version: 1, preview: 'due', repository: 'fleet', id: '1', head } as const;
    clock.advance(Date.parse('2026-11-23T12:05:00.000Z') - clock.now());
    await assert.rejects(previewPull(due, world.deps), /somebody else is telling it/);
    clock.advance(11_000);
    assert.equal(await previewPull(due, world.deps), '1 application on 1 cluster');
  });
});

describe('a status', () => {
  it('says so once the last try has failed; another event begins anew', async () => {
    const { world, head } = await small();
    const away = async () => {
      throw new Retry({ subject: 'repository fleet', message: 'does not answer; token=abc123def456' });
    };
    const { deps } = world;
    const failing = { ...deps, history: { ...deps.history, mergeBase: away } };
    await assert.rejects(previewPull(look, failing), /does not answer/);
    assert.equal(world.status(head), 'pending: being rendered');
    await assert.rejects(previewPull(look, failing, { isLast: true }), /does not answer/);
    assert.match(world.status(head), /^failure: could not be previewed: repository fleet: does not answer/);
    assert.doesNotMatch(world.status(head), /abc123/);
    await world.changed();
    assert.equal(world.status(head), 'success: 1 application on 1 cluster');
  });

  it('is brought by the poll where the function died of it each time', async () => {
    const { world, head } = await small();
    world.produce.git.onHead = async () => new Promise<never>(() => undefined);
    void world.changed();
    while (world.status(head) === 'none') await new Promise((resolve) => setImmediate(resolve));
    const poll = async () => pollPulls({ ...world.deps, host: world.host });
    world.produce.clock.advance(39 * 60_000);
    assert.equal(await poll(), 'nothing was missed');
    world.produce.clock.advance(60_000);
    assert.equal(await poll(), 'fleet 1 given up');
    assert.match(world.status(head), /^failure: could not be previewed: its function died/);
    assert.equal(await poll(), 'nothing was missed');
  });
});
