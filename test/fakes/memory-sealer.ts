import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Sealer } from '../../core/ports.ts';

/** Real encryption under data keys that only this object can unwrap; counts them. */
export class MemorySealer implements Sealer {
  readonly #keys = new Map<string, Uint8Array>();
  /** How many data keys were asked for. */
  dataKeys = 0;

  async digestKey(): Promise<Uint8Array> {
    return new TextEncoder().encode('the key of the digests in tests');
  }

  async newDataKey(): Promise<{ readonly wrapped: string; readonly key: Uint8Array }> {
    this.dataKeys += 1;
    const key = randomBytes(32);
    const wrapped = randomBytes(12).toString('base64');
    this.#keys.set(wrapped, key);
    return { wrapped, key };
  }

  async unwrap(wrapped: string): Promise<Uint8Array> {
    const key = this.#keys.get(wrapped);
    if (key === undefined) throw new Error('not wrapped by this sealer');
    return key;
  }

  encrypt(key: Uint8Array, plain: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    return Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64',
    );
  }

  decrypt(key: Uint8Array, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8');
  }
}
