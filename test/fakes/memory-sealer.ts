import { randomBytes } from 'node:crypto';
import { openValue, sealValue } from '../../adapters/value-cipher.ts';
import type { Sealer, SealingPurpose } from '../../core/ports.ts';

/** Real encryption under data keys that only this object can unwrap; counts them. */
export class MemorySealer implements Sealer {
  readonly #keys = new Map<string, Uint8Array>();
  /** How many data keys were asked for. */
  dataKeys = 0;
  readonly encrypt = sealValue;
  readonly decrypt = openValue;

  async digestKey(): Promise<Uint8Array> {
    return new TextEncoder().encode('the key of the digests in tests');
  }

  async newDataKey(
    purpose: SealingPurpose = 'snapshot',
  ): Promise<{ readonly wrapped: string; readonly key: Uint8Array }> {
    this.dataKeys += 1;
    const key = randomBytes(32);
    const wrapped = randomBytes(12).toString('base64');
    this.#keys.set(`${purpose} ${wrapped}`, key);
    return { wrapped, key };
  }

  async unwrap(wrapped: string, purpose: SealingPurpose = 'snapshot'): Promise<Uint8Array> {
    const key = this.#keys.get(`${purpose} ${wrapped}`);
    if (key === undefined) throw new Error('not wrapped by this sealer');
    return key;
  }
}
