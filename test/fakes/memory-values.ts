import { Blocked } from '../../core/errors.ts';
import { placeText, type ReferencedValue, type SecretPlace } from '../../core/model/secret-reference.ts';
import type { ReferencedValues } from '../../core/ports.ts';

/** Secrets and parameters in memory, with every version that they had. */
export class MemoryValues implements ReferencedValues {
  readonly #versions = new Map<string, ReferencedValue[]>();
  /** Every place that was asked for, in order. */
  readonly asked: string[] = [];
  /** Thrown in place of any answer. */
  failure: Error | undefined;

  /** Stores a value under `awssecrets:acme/db` or `awsssm:/acme/db`, and gives its version. */
  async put(key: string, value: string | Uint8Array): Promise<string> {
    const versions = this.#versions.get(key) ?? [];
    const number = String(versions.length + 1);
    const version = key.startsWith('awsssm:') ? number : number.padStart(32, '0');
    this.#versions.set(key, [...versions, { value, version }]);
    return version;
  }

  /** All but the newest are gone. */
  forget(key: string): void {
    this.#versions.set(key, (this.#versions.get(key) ?? []).slice(-1));
  }

  async read(place: SecretPlace): Promise<ReferencedValue> {
    this.asked.push(placeText(place));
    if (this.failure !== undefined) throw this.failure;
    const { store, name, version, stage } = place;
    const all = this.#versions.get(`${store}:${name}`) ?? [];
    const found =
      version === undefined
        ? all.at(stage === 'AWSPREVIOUS' ? -2 : -1)
        : all.find((one) => one.version === version);
    if (found !== undefined) return found;
    throw new Blocked({ subject: placeText(place), message: 'does not exist, or has no such version' });
  }
}
