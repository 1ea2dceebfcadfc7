import type { Application } from '../model/application.ts';
import type { Commit } from '../model/commit.ts';
import type { DesiredPointer, FaultRecord, Settings } from '../model/desired.ts';
import { jsonEqual } from '../model/json.ts';
import { expired, heldOf, isHeldByPerson, isPinExpired, pinAt } from '../model/pin.ts';
import { secondsOf } from '../model/duration.ts';
import { rollbackSettings } from '../model/rollback.ts';
import { rolloutSettings } from '../model/rollout.ts';
import type { Target } from '../model/target.ts';
import { millisecondsOf } from '../model/time.ts';

/** The commit that was looked at, and when. */
export interface Look {
  readonly sha: string;
  readonly at: string;
}

/** What a target should have by its application's commit. */
export interface Wanted {
  readonly target: Target;
  readonly commit: Commit;
  /** What the repository follows: a branch, or a range of tags, of which the commit's own ref is one. */
  readonly ref: string;
  readonly at: string;
  readonly snapshot: string;
  readonly objects: number;
  readonly settings: Settings;
}

/** The switches of an application, its durations in seconds. */
export function settingsOf({ metadata, spec }: Application): Settings {
  const {
    sync,
    drift,
    prune,
    onDelete,
    interval,
    timeout,
    adopt,
    rules,
    dependsOn,
    health,
    freeze,
    schedule,
    rollout,
    rollback,
  } = spec;
  const impersonate = identityOf(metadata.name, spec);
  return {
    sync,
    drift,
    prune,
    onDelete,
    ...(interval !== undefined && { intervalSeconds: secondsOf(interval) }),
    timeoutSeconds: secondsOf(timeout),
    adopt,
    rules,
    dependsOn,
    ...(impersonate !== undefined && { impersonate }),
    health,
    freeze,
    ...(spec.project !== undefined && { project: spec.project }),
    ...(schedule !== undefined && { schedule }),
    ...(rollout !== undefined && { rollout: rolloutSettings(rollout) }),
    ...(rollback !== undefined && { rollback: rollbackSettings(rollback) }),
  };
}

/** Kubernetes lets nobody take on groups without a user: one that has no rights of its own stands in. */
function identityOf(
  application: string,
  { impersonate, namespace }: Application['spec'],
): Settings['impersonate'] {
  if (impersonate === undefined) return undefined;
  const { serviceAccount, groups = [] } = impersonate;
  if (serviceAccount === undefined) return { user: `trueup:application:${application}`, groups };
  const [home, name] = serviceAccount.includes('/') ? serviceAccount.split('/') : [namespace, serviceAccount];
  return { user: `system:serviceaccount:${home}:${name}`, groups };
}

/**
 * Pointer to a rendered snapshot; undefined when the current one says all of it already. While a person's pin holds,
 * the commit is noted beside it and not followed; a pin that has run out is lifted, down to one of trueup itself below it.
 * That holds back what failed and nothing else: a commit that gives other objects is followed.
 */
export function presentPointer(
  current: DesiredPointer | undefined,
  wanted: Wanted,
): DesiredPointer | undefined {
  if (current?.pin === undefined) return followingPointer(current, wanted);
  const pin = pinAt(current, millisecondsOf(wanted.at));
  // Of a commit that only changes settings nobody knows that it mends anything.
  if (pin !== undefined && (pin.rejects === undefined || wanted.snapshot === pin.rejects.snapshot)) {
    const next = followingPointer({ ...current, ...heldOf(current) }, wanted);
    const noted = next && notedBeside(current, next);
    return pin === current.pin ? noted : { ...(noted ?? current), seq: current.seq + 1, pin };
  }
  const { pin: _, held: __, ...rest } = current;
  return followingPointer(rest, wanted) ?? { ...rest, seq: current.seq + 1 };
}

function followingPointer(current: DesiredPointer | undefined, wanted: Wanted): DesiredPointer | undefined {
  const { target, commit, ref, at, snapshot, objects, settings } = wanted;
  const { repository, sha } = commit;
  const isSameContent =
    current?.state === 'present' && current.snapshot === snapshot && current.repository === repository;
  const isSame = isSameContent && jsonEqual(current.settings, settings);
  // A commit that changes nothing of it writes nothing: the head in the state of its repository was examined for it too.
  if (isSame && current.failed === undefined && current.ref === ref) return undefined;
  return {
    version: 1,
    seq: (current?.seq ?? 0) + 1,
    target,
    repository,
    ref,
    state: 'present',
    revision: (current?.revision ?? 0) + (isSame ? 0 : 1),
    snapshot,
    objects,
    settings,
    commit: isSameContent ? current.commit : commit,
    examined: { sha, at },
    // Also where something else was pinned meanwhile: it is no news that it fails.
    ...(current?.insisted === snapshot && { insisted: snapshot }),
  };
}

function notedBeside(current: DesiredPointer, next: DesiredPointer): DesiredPointer {
  const { failed: _, ...rest } = current;
  const { seq, repository, ref, examined } = next;
  return { ...rest, seq, repository, ref, examined, held: heldOf(next) };
}

/** The snapshot stays that of the last good commit, with a note of what is wrong with the newest. */
export function failedPointer(
  current: DesiredPointer,
  { sha, at }: Look,
  faults: readonly FaultRecord[],
): DesiredPointer | undefined {
  const isOver = isPinExpired(current, millisecondsOf(at));
  if (!isOver && current.failed !== undefined && jsonEqual(current.failed.faults, faults)) return undefined;
  return {
    ...(isOver ? expired(current) : current),
    seq: current.seq + 1,
    examined: { sha, at },
    failed: { sha, at, faults: [...faults] },
  };
}

/** The same once more, so that a write which a handler of an older commit is about to make fails (rule 2 of the design). */
export function touchedPointer(current: DesiredPointer, { sha, at }: Look): DesiredPointer {
  return { ...current, seq: current.seq + 1, examined: { sha, at } };
}

/**
 * A tombstone (rule 7 of the design): what becomes of the objects is up to `settings.onDelete`. A person's pin holds against
 * that as well: it was set to keep what runs.
 */
export function gonePointer(current: DesiredPointer, { sha, at }: Look): DesiredPointer | undefined {
  if (current.state === 'gone') return undefined;
  const { failed: _, ...noted } = current;
  const seen = { seq: current.seq + 1, examined: { sha, at } };
  if (isHeldByPerson(current, millisecondsOf(at))) {
    const held = heldOf(current);
    return held.state === 'gone' ? undefined : { ...noted, ...seen, held: { ...held, state: 'gone' } };
  }
  const { pin: __, held: ___, ...rest } = noted;
  return { ...rest, ...seen, revision: current.revision + 1, state: 'gone' };
}
