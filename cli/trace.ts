import { readPlaced } from '../core/api/placed-snapshot.ts';
import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { deliverySchema, type Delivery } from '../core/model/delivery.ts';
import type { InventoryEntry } from '../core/model/inventory.ts';
import { describeRef, refKey, type ObjectRef } from '../core/model/object.ts';
import type { RunRecord } from '../core/model/run.ts';
import { targetKey } from '../core/model/target.ts';
import type { Store } from '../core/ports.ts';
import { deliveryDays } from '../core/delivery-history.ts';
import { runsOfTarget } from '../core/run-history.ts';
import type { TargetView } from '../core/view/target-view.ts';
import { CliError } from './cli-error.ts';
import { meantBy } from './object-name.ts';
import { short, type Report } from './report.ts';
import type { Session } from './session.ts';
import { readTargets, type Selection } from './targets.ts';

/** A push is applied within minutes; midnight may lie between. */
const daysBefore = 2;

interface Found {
  readonly view: TargetView;
  readonly entry: InventoryEntry;
}

/** Where an object comes from: target, snapshot and file, commit and author, run, delivery. From the records alone. */
export async function trace(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  object: string,
  selection: Selection,
): Promise<Report> {
  const { view, entry } = only(object, findIn(await readTargets(store, selection), object));
  const { target, inventory } = view;
  // What was only meant to be made came from nowhere yet.
  const applied = entry.state === 'intent' ? undefined : inventory?.applied;
  const absent = entry.state === 'intent' ? 'none yet: it was not applied' : 'not in the records any more';
  const run = await runThatChanged(store, view, entry.ref, clock.now());
  const delivery = run === undefined ? undefined : await deliveryOf(store, run);
  const placed =
    applied === undefined
      ? undefined
      : await readPlaced(store, target.application, applied.snapshot, inventory);
  const origin = placed?.origins.get(refKey(entry.ref));
  const commit = applied?.commit ?? run?.commit;
  const lines: readonly (readonly [string, string | undefined])[] = [
    [
      'object',
      `${describeRef(entry.ref)} (${entry.state}${entry.uid === undefined ? '' : `, uid ${entry.uid}`})`,
    ],
    ['target', targetKey(target)],
    ['snapshot', applied && `${applied.snapshot}, applied at ${applied.at} by run ${applied.runId}`],
    ['file', origin],
    ['commit', commit && `${short(commit.sha)} ${commit.subject} (${commit.repository} ${commit.ref})`],
    ['author', commit && `${commit.author.name} <${commit.author.email}>, ${commit.author.at}`],
    [
      'run',
      run &&
        `${run.id}: ${run.reason} by ${run.requestedBy}, at ${run.startedAt}, commit ${short(run.commit.sha)}`,
    ],
    ['event', eventText(run, delivery)],
  ];
  const told = lines.map(([name, text]) => `${name.padEnd(9)} ${text ?? absent}`);
  return {
    data: { target, entry, applied, origin, commit, run: run && briefly(run), delivery },
    text: told.join('\n'),
  };
}

function findIn(views: readonly TargetView[], object: string): readonly Found[] {
  const isMeant = meantBy(object);
  return views.flatMap((view) =>
    Object.values(view.inventory?.entries ?? {}).flatMap((entry) =>
      isMeant(entry.ref) ? [{ view, entry }] : [],
    ),
  );
}

function only(object: string, found: readonly Found[]): Found {
  const [first, ...more] = found;
  if (first === undefined) {
    throw new CliError(
      `No inventory has ${object}: trueup did not apply it, or it is gone. \`trueup status\` lists the targets; \`kubectl get\` says what is on the cluster.`,
    );
  }
  if (more.length === 0) return first;
  const all = found.map(({ view, entry }) => `${describeRef(entry.ref)} of ${targetKey(view.target)}`);
  throw new CliError(
    `${object} is ${all.length} objects: ${all.slice(0, 10).join(', ')}. Say which with KIND.GROUP/NAMESPACE/NAME, --app or --cluster.`,
  );
}

/** The newest run that wrote it; else the one that applied what stands, where it is kept. */
async function runThatChanged(
  store: Store,
  { target, inventory }: TargetView,
  ref: ObjectRef,
  now: number,
): Promise<RunRecord | undefined> {
  let applying: RunRecord | undefined;
  for await (const run of runsOfTarget(store, target, now)) {
    const own = run.outcome?.objects.find((one) => refKey(one.ref) === refKey(ref))?.outcome;
    if (own === 'created' || own === 'updated') return run;
    if (run.id === inventory?.applied?.runId) applying = run;
  }
  return applying;
}

/** The delivery that told of the commit, where a sender did. */
async function deliveryOf(
  store: Store,
  { commit, startedAt, trace: origin }: RunRecord,
): Promise<Delivery | undefined> {
  let days = daysBefore;
  for await (const senders of deliveryDays(store, Date.parse(origin?.at ?? startedAt))) {
    for (const { provider, id } of senders) {
      const delivery = (await readDocument(store, keys.delivery(provider, id), deliverySchema))?.value;
      const isIt = delivery?.pushes?.some(
        ({ repository, after }) => repository === commit.repository && after === commit.sha,
      );
      if (isIt === true) return delivery;
    }
    days -= 1;
    if (days === 0) return undefined;
  }
  return undefined;
}

function eventText(run: RunRecord | undefined, delivery: Delivery | undefined): string | undefined {
  if (delivery !== undefined) {
    return `${delivery.event} of ${delivery.provider}, delivery ${delivery.id}, received at ${delivery.receivedAt}`;
  }
  if (run?.trace === undefined) return run === undefined ? undefined : `none is known: ${run.requestedBy}`;
  return `no delivery; it began with a ${run.trace.by} at ${run.trace.at} (trace ${run.trace.id})`;
}

/** A plan is most of a record; `trueup history -o json` has it. */
function briefly({ id, reason, requestedBy, startedAt, commit, trace: origin, outcome }: RunRecord) {
  return { id, reason, requestedBy, startedAt, commit, trace: origin, outcome: outcome?.kind };
}
