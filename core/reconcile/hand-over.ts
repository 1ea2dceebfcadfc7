import { labels } from '../contract/kubernetes.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { LiveObject, ObjectRef } from '../model/object.ts';
import { decidePlan, type Decision, type PlanInput } from '../plan.ts';
import { claimsOn, type Place } from './claims.ts';
import { foreignContents } from './foreign-contents.ts';
import { entryOf, holderOf, rivalIn } from './holders.ts';
import { Neighbours } from './neighbours.ts';
import { holdLease, type Progress, type RunContext } from './run-context.ts';

interface Draft extends Place, Pick<PlanInput, 'desired' | 'entries' | 'observed'> {
  readonly decision: Decision;
}

/** The run that tells has to end first. */
const tellSeconds = 2;
/** A commit is read in seconds. */
const unreadSeconds = 30;

type Ownership = Pick<PlanInput, 'handedOver' | 'rivals' | 'owners' | 'claims' | 'contents'>;

/** What the other applications of the cluster mean for a plan. */
export interface HandOver {
  readonly ownership: Required<Ownership>;
  /** Applications that have an object to take over from this one. */
  readonly claimants: ReadonlySet<string>;
  /** Applications that give objects up to this one, with the keys of those. */
  readonly givers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly draft: Draft;
  readonly neighbours: Neighbours;
  /** Versions of the others' pointers when this was looked at. */
  readonly versions: ReadonlyMap<string, string>;
}

/**
 * Decides a plan, with a look at the other applications of the cluster where it would delete or give up an object, or
 * meets one that carries another's label. An object that moves between applications is handed over: never deleted and
 * made again, whichever of the two runs first. Writes nothing.
 */
export async function planAmongOthers(
  context: RunContext,
  input: PlanInput,
  place: Place,
): Promise<{ readonly decision: Decision; readonly handOver: HandOver | undefined }> {
  const decision = decidePlan(input);
  const handOver = await lookAtOthers(context, { ...input, ...place, decision });
  if (handOver === undefined) return { decision, handOver };
  return { decision: decidePlan({ ...input, ...handOver.ownership }), handOver };
}

async function lookAtOthers(context: RunContext, draft: Draft): Promise<HandOver | undefined> {
  const { deps, request } = context;
  const ownerOf = foreignOwner(request.target.application);
  const met = metIn(ownerOf, draft);
  const { claimable, prune, apply } = draft.decision;
  // An earlier run noted it as its own and died before it put its label on.
  const begun = apply.flatMap(({ desired: { key }, live }) => {
    const owner = ownerOf(live);
    return owner === undefined ? [] : [{ key, owner }];
  });
  if (met.length + claimable.length + begun.length === 0) return undefined;
  const neighbours = new Neighbours(deps.store, request.target, draft.served);
  const versions = await neighbours.versions();
  const strangers = await strangersAmong(met, neighbours);
  const own = await ownersOf(strangers, draft, neighbours);
  const claimants = new Set<string>();
  const question = { draft, neighbours, keys: claimable, among: versions.keys() };
  const claims =
    claimable.length === 0 ? new Map<string, string>() : await claimsOn(context, question, claimants);
  const going = prune.filter(({ key }) => !claims.has(key));
  const contents = await foreignContents(
    going.map(({ entry }) => entry),
    {
      neighbours,
      others: going.length === 0 ? [] : await neighbours.all(versions.keys()),
      served: draft.served,
      cluster: request.confirmPrune === undefined ? draft.cluster : undefined,
      going: new Set(going.map(({ key }) => key)),
    },
  );
  const given = [...begun, ...strangers.filter(({ key }) => own.handedOver.has(key))];
  const givers = new Map(
    [...Map.groupBy(given, ({ owner }) => owner)].map(([owner, objects]) => [
      owner,
      new Set(objects.map(({ key }) => key)),
    ]),
  );
  return { ownership: { ...own, claims, contents }, claimants, givers, draft, neighbours, versions };
}

/**
 * Why objects to delete must stay after all, by key: claims that came up since the plan was made, and what others put into
 * a Namespace or definition meanwhile. Applying may have taken minutes. Only pointers that have moved are read again.
 */
export async function claimsSince(
  context: RunContext,
  { draft, neighbours, versions }: HandOver,
  toGo: Decision['prune'],
): Promise<ReadonlyMap<string, string>> {
  await holdLease(context);
  const now = await neighbours.versions();
  const moved = [...now].flatMap(([application, etag]) =>
    versions.get(application) === etag ? [] : [application],
  );
  if (moved.length === 0) return new Map();
  for (const application of moved) neighbours.forget(application);
  const question = { draft, neighbours, keys: toGo.map(({ key }) => key), among: moved };
  const claims = await claimsOn(context, question, new Set());
  const going = toGo.filter(({ key }) => !claims.has(key));
  const contents = await foreignContents(
    going.map(({ entry }) => entry),
    {
      neighbours,
      others: await neighbours.all(now.keys()),
      served: draft.served,
      cluster: context.request.confirmPrune === undefined ? draft.cluster : undefined,
      going: new Set(going.map(({ key }) => key)),
    },
  );
  const kept = [...contents].map(([key, text]) => [key, `holds ${text}`] as const);
  return new Map([...claims, ...kept]);
}

/** A desired object that exists, and may be another application's. */
interface Met {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly live: LiveObject;
  /** The other application that its label names; undefined where that says nothing. */
  readonly owner: string | undefined;
  /** Our inventory has this very object, too. */
  readonly isTracked: boolean;
}

type Stranger = Met & { readonly owner: string };

/** The other application that the label of an object names, if it does. */
function foreignOwner(application: string) {
  return (live: LiveObject | undefined): string | undefined => {
    const owner = live?.metadata.labels?.[labels.application];
    return owner === application ? undefined : owner;
  };
}

/** Desired objects that exist, and carry the label of another application or are not in our inventory. */
function metIn(
  ownerOf: ReturnType<typeof foreignOwner>,
  { desired, observed, entries }: Draft,
): readonly Met[] {
  return desired.objects.flatMap(({ key, ref }) => {
    const live = observed.get(key);
    if (live === undefined) return [];
    const owner = ownerOf(live);
    const uid = entries[key]?.uid;
    const isOurs = owner === undefined && uid !== undefined;
    return isOurs ? [] : [{ key, ref, live, owner, isTracked: uid === live.metadata.uid }];
  });
}

/** Those that are another application's. Whoever applied last put its label on: only the inventories tell who has it. */
async function strangersAmong(met: readonly Met[], neighbours: Neighbours): Promise<readonly Stranger[]> {
  const isUnnamed = met.some(({ owner }) => owner === undefined);
  const inventories = isUnnamed ? await neighbours.inventories() : [];
  return met.flatMap((one) => {
    const owner = one.owner ?? holderOf(inventories, one.key, one.live)?.target.application;
    return owner === undefined ? [] : [{ ...one, owner }];
  });
}

async function ownersOf(
  strangers: readonly Stranger[],
  { originOf }: Draft,
  neighbours: Neighbours,
): Promise<Required<Pick<Ownership, 'handedOver' | 'rivals' | 'owners'>>> {
  const handedOver = new Map<string, InventoryEntry>();
  const rivals = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const [owner, objects] of Map.groupBy(strangers, (stranger) => stranger.owner)) {
    const neighbour = await neighbours.one(owner);
    const inventory = await neighbours.inventory(owner);
    for (const { key, ref, live, isTracked } of objects) {
      const held = { key, live, inventory };
      const entry = entryOf(held);
      // Both have it: a hand-over under way, save where the other desires it as well.
      if (isTracked && (entry === undefined || neighbour.unknown !== undefined)) continue;
      const rival = rivalIn(neighbour, held);
      if (rival !== undefined) rivals.set(key, rival(originOf(ref)));
      else if (entry !== undefined) handedOver.set(key, entry);
      else if (neighbour.pointer === undefined && inventory === undefined)
        owners.set(key, `belongs to the application ${owner} of another installation`);
    }
  }
  return { handedOver, rivals, owners };
}

/**
 * Asks for the next run of each application that has an object to take over, or that has lost one to this run. A run that
 * was told itself tells no claimant again: one that fails on the object would otherwise be told for ever.
 */
export async function tellNeighbours(
  { deps, request }: RunContext,
  { claimants, givers, ownership: { claims } }: HandOver,
  { results }: Progress,
): Promise<void> {
  const { cluster, application } = request.target;
  const next = { version: 1 as const, reason: 'hand-over' as const, requestedBy: request.requestedBy };
  const taken = new Set(
    results.flatMap(({ key, failure, outcome }) =>
      failure === undefined && outcome.outcome !== 'skipped' ? [key] : [],
    ),
  );
  const gave = [...givers].filter(([, keys]) => !keys.isDisjointFrom(taken)).map(([giver]) => giver);
  for (const other of new Set([...(request.reason === 'hand-over' ? [] : claimants), ...gave])) {
    await deps.queues.runLater({ ...next, target: { cluster, application: other } }, tellSeconds);
  }
  // What waits for a commit to be read waits for nobody in particular. Once: after that the sweep asks.
  if (claims.size > 0 && claimants.size === 0 && request.reason !== 'hand-over') {
    await deps.queues.runLater({ ...next, target: { cluster, application } }, unreadSeconds);
  }
}
