import { readPlaced } from '../core/api/placed-snapshot.ts';
import { askForRun } from '../core/ask-for-run.ts';
import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { inBatches } from '../core/in-batches.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { refKey, refOf } from '../core/model/object.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { awaitRuns } from './await-runs.ts';
import { CliError } from './cli-error.ts';
import { meantBy } from './object-name.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import { whySuspended } from './suspend.ts';
import { readTargets, selectTargets, type Selection } from './targets.ts';

export interface SyncOptions extends Selection {
  readonly app: string;
  readonly wait?: boolean;
  /** As many objects as the person agrees to lose, where the cap asked. */
  readonly confirmPrune?: number;
  /** Objects that alone are meant, as a person names them. */
  readonly resource?: readonly string[];
}

const readsAtOnce = 16;

/** Asks for a run of each target of an application; with `wait`, until each has ended and its health has settled. */
export async function sync(
  session: Session,
  { wait = false, confirmPrune, resource, ...selection }: SyncOptions,
): Promise<Report> {
  if (resource !== undefined && confirmPrune !== undefined) {
    throw new CliError(
      'Give either --resource or --confirm-prune: a sync of single objects deletes nothing.',
    );
  }
  const only = resource && (await wantedObjects(session, selection, resource));
  const all = await selectTargets(session.store, selection);
  const { targets, held } = await freeTargets(
    session,
    only === undefined ? all : all.filter((target) => only.has(targetKey(target))),
  );
  // Unique, so that our runs are told from those that somebody else asks for meanwhile.
  const requestedBy = `${await session.whoAmI()} ${session.ids.next()}`;
  const staged = selection.cluster === undefined ? await inStages(session, targets) : new Set<string>();
  if (staged.size > 0 && (confirmPrune ?? only) !== undefined) {
    throw new CliError('Say of which --cluster: a rollout has stages, which one object or a prune ends.');
  }
  for (const target of targets) {
    const objects = only?.get(targetKey(target));
    await askForRun(target, requestedBy, session, {
      ...(confirmPrune !== undefined && { confirmPrune }),
      ...(objects && { only: [...objects] }),
      ...(staged.has(targetKey(target)) && { staged: true as const }),
    });
  }
  if (!wait) {
    const text = [...targets.map((target) => `${targetKey(target)}: asked for a run`), ...held].join('\n');
    return { data: { requestedBy, targets }, text, names: targets.map(targetKey) };
  }
  const { runs, lines, exitCode } = await awaitRuns(session, targets, requestedBy);
  return {
    data: { requestedBy, runs },
    text: [...lines, ...held].join('\n'),
    names: runs.map(({ id }) => id),
    exitCode,
  };
}

/** Targets whose rollout has stages, which are kept in order. Whoever names a cluster means that one. */
async function inStages({ store }: Session, targets: readonly Target[]): Promise<ReadonlySet<string>> {
  const pointers = await inBatches(targets, readsAtOnce, async (target) =>
    readDocument(store, keys.desired(target), desiredPointerSchema),
  );
  const staged = pointers.flatMap((pointer) =>
    pointer?.value.settings.rollout ? [pointer.value.target] : [],
  );
  return new Set(staged.map(targetKey));
}

/** By target, the keys of the objects of Git that are named. Throws CliError for a name that no target has. */
async function wantedObjects(
  { store }: Session,
  selection: Selection,
  resource: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const met = new Set<string>();
  for (const { target, pointer, inventory } of await readTargets(store, selection)) {
    const placed = await readPlaced(store, target.application, pointer.snapshot, inventory);
    const refs = (placed?.objects ?? []).map(refOf);
    const wanted = resource.flatMap((name) => {
      const meant = refs.filter(meantBy(name));
      if (meant.length > 0) met.add(name);
      return meant.map(refKey);
    });
    if (wanted.length > 0) found.set(targetKey(target), [...new Set(wanted)]);
  }
  const unknown = resource.filter((name) => !met.has(name));
  if (unknown.length === 0) return found;
  throw new CliError(
    `Git does not want ${unknown.join(', ')} there. \`trueup get --app ${selection.app ?? 'NAME'} -o name\` lists what it wants.`,
  );
}

/** Targets that nobody has suspended, and a line for each of the others. Throws CliError where that is all of them. */
export async function freeTargets(session: Session, all: readonly Target[]) {
  const targets: Target[] = [];
  const held: string[] = [];
  for (const target of all) {
    const why = await whySuspended(session, target);
    if (why === undefined) targets.push(target);
    else held.push(`${targetKey(target)}: ${why}`);
  }
  if (targets.length > 0) return { targets, held };
  throw new CliError(`Nothing was asked for: ${held.join('; ')}. End that first with \`trueup resume\`.`);
}
