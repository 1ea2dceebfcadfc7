import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Clock, Store } from '../ports.ts';
import { updatePreview, type PullKey } from './records.ts';

export interface TurnDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** Longer than a function lives: whoever had it before cannot be talking to the host any more. */
const turnMs = 310_000;

/**
 * The turn to write to a pull request, where two at once would both find no comment of ours and make one each. Undefined
 * where somebody has it, who finds our note and looks again, or where nothing is known of the pull request.
 */
export async function takeTurn(pull: PullKey, { store, clock }: TurnDeps): Promise<TellingTurn | undefined> {
  let holder: number | undefined;
  const now = clock.now();
  await updatePreview(store, pull, (record) => {
    const { turn, seq } = record;
    if (turn !== undefined && millisecondsOf(turn.until) > now) {
      holder = undefined;
      return turn.again ? undefined : { ...record, turn: { ...turn, again: true } };
    }
    holder = seq + 1;
    return { ...record, turn: { holder, until: isoTime(now + turnMs), again: false } };
  });
  return holder === undefined ? undefined : new TellingTurn(pull, holder, { store, clock });
}

/** The turn while it is ours. */
export class TellingTurn {
  readonly #pull: PullKey;
  readonly #holder: number;
  readonly #deps: TurnDeps;

  constructor(pull: PullKey, holder: number, deps: TurnDeps) {
    this.#pull = pull;
    this.#holder = holder;
    this.#deps = deps;
  }

  /** Gives it back. False where somebody left a note meanwhile: it is ours still, and there is more to tell. */
  async end({ commented }: { readonly commented: boolean }): Promise<boolean> {
    let isOver = true;
    await updatePreview(this.#deps.store, this.#pull, (record) => {
      const { turn, ...rest } = record;
      const next = { ...rest, commented: rest.commented || commented };
      if (turn?.holder !== this.#holder) return turn === undefined ? next : { ...next, turn };
      isOver = !turn.again;
      if (isOver) return next;
      const until = isoTime(this.#deps.clock.now() + turnMs);
      return { ...next, turn: { ...turn, until, again: false } };
    });
    return isOver;
  }

  /** Gives it back where the host could not be told: our message comes again, and so may others at once. */
  async leave(): Promise<void> {
    await updatePreview(this.#deps.store, this.#pull, ({ turn, ...rest }) =>
      turn?.holder === this.#holder ? rest : undefined,
    );
  }
}
