import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocked } from '../../core/errors.ts';
import type { SecretPlace } from '../../core/model/secret-reference.ts';
import type { ReferencedValues } from '../../core/ports.ts';

/** Values to be read, and how to put one more version there. */
export interface ValuesUnderTest {
  readonly values: ReferencedValues;
  /** Names begin with this. */
  readonly prefix: string;
  /** Gives the version. */
  readonly put: (key: string, value: string | Uint8Array) => Promise<string>;
}

/** What reading values promises, for the fake and for AWS alike. */
export function valuesContract(make: () => Promise<ValuesUnderTest>): void {
  const secret = (prefix: string): SecretPlace => ({ store: 'awssecrets', name: `${prefix}/db` });
  const parameter = (prefix: string): SecretPlace => ({ store: 'awsssm', name: `/${prefix}/db` });

  for (const [what, placeIn] of [
    ['a secret', secret],
    ['a parameter', parameter],
  ] as const) {
    test(`${what} is read as it is now, with its version, and each version as it was`, async () => {
      const { values, prefix, put } = await make();
      const place = placeIn(prefix);
      const key = `${place.store}:${place.name}`;
      const first = await put(key, 'süß\n1');
      assert.deepEqual(await values.read(place), { value: 'süß\n1', version: first });
      const second = await put(key, 'two');
      assert.notEqual(second, first);
      assert.deepEqual(await values.read(place), { value: 'two', version: second });
      assert.deepEqual(await values.read({ ...place, version: first }), { value: 'süß\n1', version: first });
      const third = await put(key, 'three');
      assert.deepEqual(await values.read({ ...place, version: second }), { value: 'two', version: second });
      assert.equal((await values.read(place)).version, third);
    });

    test(`${what} that is not there is blocked, and so is a version that is not`, async () => {
      const { values, prefix, put } = await make();
      const place = placeIn(prefix);
      const name = `ref+${place.store}://${place.name.replace(/^\//, '')}`;
      const isMissing = (error: unknown) => error instanceof Blocked && error.message.startsWith(name);
      await assert.rejects(values.read(place), isMissing);
      await put(`${place.store}:${place.name}`, 'hunter2');
      const version = place.store === 'awsssm' ? '7' : '7'.padStart(32, '0');
      await assert.rejects(values.read({ ...place, version }), (error: unknown) => {
        return isMissing(error) && !String(error).includes('hunter2');
      });
    });
  }

  test('a secret may be binary, and a stage moves with its versions', async () => {
    const { values, prefix, put } = await make();
    const place = secret(prefix);
    const bytes = new Uint8Array([0, 255, 128, 10]);
    const first = await put(`awssecrets:${place.name}`, bytes);
    const read = await values.read(place);
    assert.deepEqual([...Buffer.from(read.value)], [...bytes]);
    await put(`awssecrets:${place.name}`, 'two');
    assert.equal((await values.read({ ...place, stage: 'AWSPREVIOUS' })).version, first);
  });
}
