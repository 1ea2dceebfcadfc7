import { Blocked, Retry } from '../errors.ts';
import { digestOf } from '../model/digest.ts';
import type { EnvironmentRecord } from '../model/preview-environments.ts';
import { environmentComment, type Told } from './comment.ts';
import type { Made } from './make-environments.ts';
import type { Situation, Work } from './work.ts';

interface News {
  readonly situation: Situation;
  readonly faults: Made['faults'];
  /** As they are now, and what was told before. */
  readonly record: Pick<EnvironmentRecord, 'environments' | 'told'>;
}

/** What every pull request was told by now; `fault`: why one could not be. */
export interface ToldPulls {
  readonly told: EnvironmentRecord['told'];
  readonly fault: Retry | Blocked | undefined;
}

/** Keeps the comments current. A host that takes none keeps no environment from being made. */
export async function tellPulls({ repository, deps }: Work, news: News): Promise<ToldPulls> {
  const { situation, record } = news;
  const told = { ...record.told };
  let fault: Retry | Blocked | undefined;
  for (const [id, lines] of linesByPull(news)) {
    if (situation.pulls.get(id) === undefined) continue;
    const comment = environmentComment(lines);
    const digest = digestOf(comment.text);
    if (told[id] === digest) continue;
    try {
      await deps.host.comment(repository, id, comment);
      told[id] = digest;
    } catch (error) {
      if (!(error instanceof Retry || error instanceof Blocked)) throw error;
      fault = error;
    }
  }
  return { told, fault };
}

function linesByPull({ situation: { decided }, faults, record }: News): ReadonlyMap<string, readonly Told[]> {
  const byPull = new Map<string, readonly Told[]>();
  const note = (id: string, one: Told): void => {
    byPull.set(id, [...(byPull.get(id) ?? []), one]);
  };
  for (const [name, environment] of Object.entries(record.environments)) {
    const { application, pull, why } = environment;
    const wanted = decided.wanted.find((one) => one.name === name);
    const clusters = wanted?.definition.clusters ?? [];
    const words = why === undefined ? {} : { why };
    note(pull.id, { application, name, environment, clusters, faults: faults.get(name) ?? [], ...words });
  }
  for (const { pull, application, why } of decided.refused) {
    const isTold = byPull.get(pull.id)?.some((one) => one.application === application) === true;
    if (!isTold) note(pull.id, { application, why });
  }
  return byPull;
}
