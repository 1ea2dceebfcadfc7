import { labels } from '../contract/kubernetes.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { LiveObject, ObjectRef } from '../model/object.ts';
import { cameOfIntent, decidePlan, type Decision, type PlanInput } from '../plan.ts';
import { claimsOn, unknownText, type Place } from './claims.ts';
import { foreignContents } from './foreign-contents.ts';
import { Neighbours, type Neighbour, type Wish } from './neighbours.ts';
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
  const strangers = strangersIn(ownerOf, draft);
  const { claimable, prune, apply } = draft.decision;
  // An earlier run noted it as its own and died before it put its label on.
  const begun = apply.flatMap(({ desired: { key }, live }) => {
    const owner = ownerOf(live);
    return owner === undefined ? [] : [{ key, owner }];
  });
  if (strangers.length + claimable.length + begun.length === 0) return undefined;
  const neighbours = new Neighbours(deps.store, request.target, draft.served);
  const versions = await neighbours.versions();
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

interface Stranger {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly live: LiveObject;
  readonly owner: string;
}

/** The other application that the label of an object names, if it does. */
function foreignOwner(application: string) {
  return (live: LiveObject | undefined): string | undefined => {
    const owner = live?.metadata.labels?.[labels.application];
    return owner === application ? undefined : owner;
  };
}

/** Desired objects that exist, are not in our inventory, and carry the label of another application. */
function strangersIn(
  ownerOf: ReturnType<typeof foreignOwner>,
  { desired, observed, entries }: Draft,
): readonly Stranger[] {
  return desired.objects.flatMap(({ key, ref }) => {
    const live = observed.get(key);
    const owner = ownerOf(live);
    const isTracked = entries[key]?.uid !== undefined;
    return live === undefined || owner === undefined || isTracked ? [] : [{ key, ref, live, owner }];
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
    for (const { key, ref, live } of objects) {
      const entry = entryOf(live, key, inventory);
      const wish = wishFor(neighbour, key, entry);
      if (neighbour.unknown !== undefined) rivals.set(key, unknownText(neighbour));
      else if (wish !== undefined) rivals.set(key, rivalText(neighbour, wish, originOf(ref)));
      else if (entry !== undefined) handedOver.set(key, entry);
      else if (neighbour.pointer === undefined && inventory === undefined)
        owners.set(key, `belongs to the application ${owner} of another installation`);
    }
  }
  return { handedOver, rivals, owners };
}

/** The other's entry for this very object. One that died before it noted the uid has the intent as proof (rule 1). */
function entryOf(
  live: LiveObject,
  key: string,
  inventory: Inventory | undefined,
): InventoryEntry | undefined {
  const { uid } = live.metadata;
  const known = Object.values(inventory?.entries ?? {}).find((entry) => entry.uid === uid);
  if (known !== undefined) return known;
  const intent = inventory?.entries[key];
  if (intent === undefined || intent.uid !== undefined || !cameOfIntent(intent, live)) return undefined;
  return { ...intent, uid, created: true };
}

/** By the key, and by that under which the other has it: it may call it by another API group. */
function wishFor({ wishes }: Neighbour, key: string, entry: InventoryEntry | undefined): Wish | undefined {
  const [group = '', ...rest] = key.split('/');
  const other = entry === undefined || entry.ref.group === group ? key : [entry.ref.group, ...rest].join('/');
  return wishes.get(key) ?? wishes.get(other);
}

function rivalText({ application, pointer }: Neighbour, { origin }: Wish, own: string | undefined): string {
  const at = (file: string | undefined) => (file === undefined ? '' : ` (${file})`);
  const waits = pointer?.settings.sync === 'manual' ? `, or \`trueup sync --app ${application}\` first` : '';
  return (
    `the application ${application} has it and desires it too${at(origin)}: one object has one application; ` +
    `take it out of that one or of this one${at(own)}${waits}`
  );
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
