import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { driftRecordSchema, openDriftSchema, type DriftRecord } from '../model/drift.ts';
import { refKey } from '../model/object.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import type { KeyedRun } from '../run-history.ts';
import { briefOf } from '../view/fleet.ts';
import type { DriftEpisode, RunBrief } from './contract.ts';

/** A drift record as a person reads it. */
export function episodeOf(record: DriftRecord, key: string): DriftEpisode {
  const { drift, loop } = record;
  const managers = drift.fields.flatMap(({ manager }) => manager ?? []);
  return {
    id: record.id,
    record: key,
    key: refKey(drift.ref),
    kind: drift.kind,
    state: record.state,
    mode: record.mode,
    openedAt: record.openedAt,
    ...(record.happenedAt !== undefined && { happenedAt: record.happenedAt }),
    ...(record.closedAt !== undefined && { closedAt: record.closedAt }),
    ...(record.secondsToDetect !== undefined && { secondsToDetect: record.secondsToDetect }),
    ...(record.secondsToHeal !== undefined && { secondsToHeal: record.secondsToHeal }),
    ...(record.who !== undefined && { who: record.who }),
    managers: [...new Set(managers)],
    fields: drift.fields,
    ...(loop !== undefined && { loop: `${loop.manager} changed it again ${loop.flips} times` }),
  };
}

/** A run record in a line. */
export function runBriefOf(run: KeyedRun, cloneUrl: string | undefined): RunBrief {
  const { outcome } = run;
  return {
    id: run.id,
    key: run.key,
    reason: run.reason,
    requestedBy: askerOf(run.requestedBy),
    revision: run.revision,
    snapshot: run.snapshot,
    commit: briefOf(run.commit, cloneUrl),
    startedAt: run.startedAt,
    ...(outcome !== undefined && { endedAt: outcome.at, counts: outcome.counts }),
    outcome: outcome?.kind ?? 'running',
    message: outcome?.message ?? '',
  };
}

/** What was asked for by hand has an id behind the name, which makes it one of its kind and tells nobody anything. */
export function askerOf(requestedBy: string): string {
  return requestedBy.replace(/ [\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/, '');
}

/** The episodes that are open now. */
export async function openEpisodes(store: Store, target: Target): Promise<readonly DriftEpisode[]> {
  const open = await readDocument(store, keys.openDrift(target), openDriftSchema);
  const records = Object.values(open?.value.episodes ?? {}).map(({ record }) => record);
  const read = records.map(async (key) => {
    const record = await readDocument(store, key, driftRecordSchema);
    return record === undefined ? [] : [episodeOf(record.value, key)];
  });
  return (await Promise.all(read)).flat();
}
