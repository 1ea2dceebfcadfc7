import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { noticed } from './noticed.ts';
import type { SimulatedWorld } from './world.ts';

/** Functions and people read these records otherwise than they were written. */
function misread(
  { store }: SimulatedWorld,
  isMeant: (key: string) => boolean,
  change: (record: Record<string, unknown>) => Record<string, unknown>,
): void {
  const get = store.get.bind(store);
  store.get = async (key) => {
    const stored = await get(key);
    if (stored === undefined || !isMeant(key)) return stored;
    const record = z.record(z.string(), z.unknown()).parse(JSON.parse(stored.text));
    return { ...stored, text: JSON.stringify(change(record)) };
  };
}

describe('what people hold back', () => {
  const held = { actMinutes: 20, days: 0.4 };
  const isPointer = (key: string): boolean => key.startsWith(prefixes.desired);

  test('a freeze of which no function knows', async () => {
    const invariant = await noticed(({ config }) => void Object.assign(config, { freeze: [] }), held);
    assert.equal(invariant, 'a frozen target is not changed');
  });

  test('a freeze of an application that nobody reads', async () => {
    const thaw = (world: SimulatedWorld): void =>
      misread(world, isPointer, ({ settings, ...pointer }) => ({
        ...pointer,
        settings: { ...z.looseObject({}).parse(settings), freeze: [] },
      }));
    assert.equal(await noticed(thaw, held), 'a frozen target is not changed');
  });

  test('suspensions that nobody reads', async () => {
    const forget = (world: SimulatedWorld): void =>
      misread(
        world,
        (key) => key === keys.suspensions,
        (record) => ({ ...record, active: [] }),
      );
    assert.equal(await noticed(forget, held), 'a suspended target is not changed');
  });

  test('a pin that commits do not see', async () => {
    const forget = (world: SimulatedWorld): void =>
      misread(world, isPointer, ({ pin, ...pointer }) => {
        // What was rolled back by itself would be rolled back again, which is another invariant.
        const isOfPerson = z.looseObject({}).safeParse(pin).data?.['rejects'] === undefined;
        return { ...pointer, ...(!isOfPerson && { pin }) };
      });
    assert.equal(await noticed(forget, held), 'a pin holds');
  });

  test('a revision that a person wanted all the same, which nobody remembers', async () => {
    const forget = (world: SimulatedWorld): void =>
      misread(world, isPointer, (pointer) => ({ ...pointer, insisted: undefined }));
    assert.equal(await noticed(forget, { ...held, actMinutes: 8 }), 'a rollback never loops');
  });

  test('stages that nobody waits for', async () => {
    const rush = (world: SimulatedWorld): void =>
      misread(world, isPointer, ({ settings, ...pointer }) => {
        const { rollout: _, ...rest } = z.looseObject({ rollout: z.unknown().optional() }).parse(settings);
        return { ...pointer, settings: rest };
      });
    assert.equal(await noticed(rush, held), 'a stage waits for the one before');
  });

  test('a host that takes pull requests for closed', async () => {
    const close = ({ pulls: { host }, timeline }: SimulatedWorld): void => {
      const [list, ask] = [host.openPullRequests.bind(host), host.pullRequest.bind(host)];
      const since = timeline.now + 4 * 3_600_000;
      host.openPullRequests = async (repository) => (timeline.now < since ? list(repository) : []);
      host.pullRequest = async (...asked) => {
        const pull = await ask(...asked);
        return pull && { ...pull, ...(timeline.now >= since && { state: 'closed' as const }) };
      };
    };
    assert.equal(await noticed(close, held), 'an environment ends with its pull request');
  });
});
