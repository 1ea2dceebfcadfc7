import type { Json } from '../core/model/json.ts';
import type { SopsFile } from '../core/model/sops.ts';
import type { SopsOpener } from '../core/ports.ts';
import type { SopsKeys } from './sops-keys.ts';

/** Loads what reads such files when the first one is there: most installations have none. */
export class SopsOnDemand implements SopsOpener {
  readonly #keys: SopsKeys;

  constructor(keys: SopsKeys) {
    this.#keys = keys;
  }

  async open(file: SopsFile, subject: string): Promise<ReadonlyMap<string, Json>> {
    const { KeyedSopsOpener } = await import('./sops-files.ts');
    return new KeyedSopsOpener(this.#keys).open(file, subject);
  }
}
