import { keys } from '../contract/keys.ts';
import { readDocument, writeDocument, type Document } from '../documents.ts';
import { Retry } from '../errors.ts';
import { reportSchema, type Look, type Report } from '../model/report.ts';
import type { Clock, Ids, Store } from '../ports.ts';
import { bothLooks, nothingToLookAt } from './look.ts';

export interface TurnDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Longer than a function lives: whoever had it before cannot be talking to the host any more. */
const turnMs = 150_000;
const writeTries = 12;

/**
 * The turn to tell a host of one repository. Two at once would answer each other's calls in any order, and an older state
 * might stand there last. Whoever comes meanwhile leaves a note of what it wants looked at, which the holder finds before
 * it is done; undefined then.
 */
export async function takeTurn(deps: TurnDeps, repository: string, look: Look): Promise<Turn | undefined> {
  const { store, clock, ids } = deps;
  const key = keys.report(repository);
  for (let attempt = 0; attempt < writeTries; attempt += 1) {
    const current = await readDocument(store, key, reportSchema);
    const { asked, turn, ...rest } = current?.value ?? emptyReport(repository);
    const wanted = bothLooks(asked ?? nothingToLookAt, look);
    const isHeld = turn !== undefined && turn.until > clock.now();
    // The schedule comes again.
    if (isHeld && look.scope === 'open') return undefined;
    const next = isHeld
      ? { asked: wanted, turn }
      : { turn: { holder: ids.next(), until: clock.now() + turnMs } };
    const value: Report = { ...rest, seq: rest.seq + 1, ...next };
    const outcome = await writeDocument(store, key, value, conditionOf(current));
    if (outcome.kind === 'conflict') continue;
    return isHeld ? undefined : new Turn(deps, { value, etag: outcome.etag }, wanted);
  }
  throw moved(repository);
}

function emptyReport(repository: string): Report {
  return { version: 1, seq: 0, repository, sha: '', targets: {}, told: {}, older: [] };
}

function conditionOf(document: Document<Report> | undefined): 'absent' | { readonly etag: string } {
  return document === undefined ? 'absent' : { etag: document.etag };
}

function moved(repository: string): Retry {
  const message = `what was told of its commits changed under us ${writeTries} times in a row; try again`;
  return new Retry({ subject: `repository ${repository}`, message });
}

/** The turn while it is ours. */
export class Turn {
  readonly #deps: TurnDeps;
  #document: Document<Report>;
  #look: Look;

  constructor(deps: TurnDeps, document: Document<Report>, look: Look) {
    this.#deps = deps;
    this.#document = document;
    this.#look = look;
  }

  /** As it is written down. */
  get report(): Report {
    return this.#document.value;
  }

  /** What is to be looked at: what others left a note of, too. */
  get look(): Look {
    return this.#look;
  }

  /** Writes down what is about to be told, and keeps the turn. */
  async note(report: Report): Promise<void> {
    await this.#write(report, ({ turn, asked }) => ({
      ...(turn !== undefined && { turn }),
      ...(asked !== undefined && { asked }),
    }));
  }

  /**
   * Writes down what was told and gives the turn back. False where others left a note meanwhile: that is to be looked at
   * first, and `look` says what.
   */
  async end(report: Report): Promise<boolean> {
    const isEnded = await this.#write(report, ({ asked }) => (asked === undefined ? {} : undefined));
    if (!isEnded) this.#goOn(report);
    return isEnded;
  }

  /** The same where something failed: all that was to be looked at is left to whoever comes next. */
  async leave(report: Report): Promise<void> {
    await this.#write(report, ({ asked = nothingToLookAt }) => ({ asked: bothLooks(asked, this.#look) }));
  }

  /** `more` says what stands beside the report, of what stands there now; undefined: nothing is written. */
  async #write(
    report: Report,
    more: (now: Report) => Pick<Report, 'turn' | 'asked'> | undefined,
  ): Promise<boolean> {
    const { store } = this.#deps;
    const { repository, turn } = this.#document.value;
    const key = keys.report(repository);
    const { turn: _, asked: __, ...rest } = report;
    for (let attempt = 0; attempt < writeTries; attempt += 1) {
      const { value: now, etag } = this.#document;
      const beside = more(now);
      if (beside === undefined) return false;
      const value: Report = { ...rest, seq: now.seq + 1, ...beside };
      const outcome = await writeDocument(store, key, value, { etag });
      if (outcome.kind === 'written') {
        this.#document = { value, etag: outcome.etag };
        return true;
      }
      const current = await readDocument(store, key, reportSchema);
      if (current === undefined || current.value.turn?.holder !== turn?.holder) throw lost(repository);
      this.#document = current;
    }
    throw moved(repository);
  }

  /** The note is taken off with the next write: until then it stands there for whoever comes after us, should we die. */
  #goOn(report: Report): void {
    const { value, etag } = this.#document;
    const { asked = nothingToLookAt, turn, seq } = value;
    const { turn: _, asked: __, ...rest } = report;
    this.#look = asked;
    this.#document = { value: { ...rest, seq, ...(turn !== undefined && { turn }) }, etag };
  }
}

function lost(repository: string): Retry {
  const message = 'another function took the turn to tell its Git host; it goes on from there';
  return new Retry({ subject: `repository ${repository}`, message });
}
