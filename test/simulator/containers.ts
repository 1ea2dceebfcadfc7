import type { Sealer, Secrets } from '../../core/ports.ts';
import { KnownDocuments } from '../../core/sweep/known-documents.ts';
import type { FunctionName, Requests } from './requests.ts';

/** What a process of Lambda keeps from one invocation to the next. */
export interface Container {
  readonly documents: KnownDocuments;
  readonly sealer: Sealer;
  readonly secrets: Secrets;
  idleSince: number;
}

/** Lambda says nothing of it; idle containers were seen to go after some minutes. */
const idleMs = 8 * 60_000;
export const hookSecret = 'a secret of the simulated Git host';

/** Containers of each function: an idle one is taken before a new one is begun, and one that dies is gone. */
export class Containers {
  readonly #idle = new Map<FunctionName, Container[]>();
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  take(name: FunctionName, now: number): Container {
    const idle = (this.#idle.get(name) ?? []).filter(({ idleSince }) => now - idleSince < idleMs);
    const container = idle.pop() ?? this.#begin();
    this.#idle.set(name, idle);
    return container;
  }

  giveBack(name: FunctionName, container: Container, now: number): void {
    container.idleSince = now;
    this.#idle.get(name)?.push(container);
  }

  #begin(): Container {
    const secrets = this.#secrets();
    return { documents: new KnownDocuments(), sealer: this.#sealer(), secrets, idleSince: 0 };
  }

  /** Current and previous value, each a request; a minute's memory counts for nothing here. */
  #secrets(): Secrets {
    return {
      get: async () => {
        this.#requests.add('secrets', 2);
        return { current: hookSecret };
      },
    };
  }

  /** Tells what is sealed from what is not, and hides nothing: keys that differ would make every run another one. */
  #sealer(): Sealer {
    let known: Uint8Array | undefined;
    const requests = this.#requests;
    return {
      digestKey: async () => {
        if (known === undefined) requests.add('secrets', 2);
        known ??= new Uint8Array(32).fill(7);
        return known;
      },
      newDataKey: async () => {
        requests.add('kms');
        return { wrapped: 'd3JhcHBlZA==', key: new Uint8Array(32) };
      },
      unwrap: async () => {
        requests.add('kms');
        return new Uint8Array(32);
      },
      encrypt: (_, plain) => Buffer.from(plain).toString('base64'),
      decrypt: (_, sealed) => Buffer.from(sealed, 'base64').toString(),
    };
  }
}
