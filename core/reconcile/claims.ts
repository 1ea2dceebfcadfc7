import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { repositoryStateSchema, type DesiredPointer, type RepositoryState } from '../model/desired.ts';
import type { ObjectRef } from '../model/object.ts';
import type { PlanInput } from '../plan.ts';
import type { ApiResource, Cluster } from '../ports.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import type { RunContext } from './run-context.ts';
import { readPointer } from './standing.ts';

/** Where a plan is made, and what is known of its objects. */
export interface Place {
  /** File and line of a desired object, where they are known. */
  readonly originOf: (ref: ObjectRef) => string | undefined;
  readonly served: readonly ApiResource[];
  /** Undefined where the cluster is not asked. */
  readonly cluster: Cluster | undefined;
}

/** Objects that a run would delete or give up, and whom to ask about them. */
export interface Question {
  readonly draft: Pick<PlanInput, 'entries'> & Pick<Place, 'served' | 'cluster'>;
  readonly neighbours: Neighbours;
  /** Object keys. */
  readonly keys: readonly string[];
  /** Applications. */
  readonly among: Iterable<string>;
}

/** Why each of these objects may be another application's wish, by object key. Adds those applications to `tell`. */
export async function claimsOn(
  context: RunContext,
  question: Question,
  tell: Set<string>,
): Promise<ReadonlyMap<string, string>> {
  const { neighbours, keys: wanted, among } = question;
  const others = await neighbours.all(among);
  const unread = await unreadCommit(context, others);
  if (unread !== undefined) return new Map(wanted.map((key) => [key, unread]));
  const claims = new Map<string, string>();
  for (const neighbour of others) {
    for (const key of wanted) {
      if (claims.has(key)) continue;
      if (neighbour.unknown !== undefined) claims.set(key, unknownText(neighbour));
      else if (await isWished(question, neighbour, key)) {
        claims.set(key, claimText(neighbour));
        tell.add(neighbour.application);
      }
    }
  }
  return claims;
}

function claimText({ application, pointer }: Neighbour): string {
  const how = pointer?.settings.sync === 'manual' ? 'with its next sync' : 'with its next run';
  return `the application ${application} desires it and takes it over ${how}`;
}

/** An object of the same name in another API group is the same one where its uid is. */
async function isWished(
  { draft, neighbours }: Question,
  neighbour: Neighbour,
  key: string,
): Promise<boolean> {
  const { entries, cluster, served } = draft;
  const { application, wishes } = neighbour;
  const entry = entries[key];
  if (entry === undefined) return false;
  if (cluster === undefined) {
    // Whose label it carries by now is not looked at: who has it tells the same.
    if (!wishes.has(key)) return false;
    const theirs = await neighbours.inventory(application);
    return theirs?.entries[key]?.uid !== entry.uid || entry.uid === undefined;
  }
  if (wishes.has(key)) return true;
  const { kind, namespace, name } = entry.ref;
  for (const { ref, apiVersion } of wishes.values()) {
    if (ref.kind !== kind || ref.name !== name || ref.namespace !== namespace) continue;
    const resource = served.find((each) => each.kind === kind && each.group === ref.group);
    if (resource === undefined) continue;
    const live = await cluster.get({ apiVersion, plural: resource.plural, namespace, name });
    if (live?.metadata.uid === entry.uid) return true;
  }
  return false;
}

/**
 * A commit moves its pointers one by one, and until it has moved them all an object that it moves is in neither. Told
 * by the repository's list of applications, which is written first: why nothing may be deleted yet.
 */
async function unreadCommit(
  { deps, goal, request }: RunContext,
  others: readonly Neighbour[],
): Promise<string | undefined> {
  const { repository, ref, examined } = goal.pointer;
  const state = (await readDocument(deps.store, keys.repository(repository, ref), repositoryStateSchema))
    ?.value;
  if (state === undefined || state.head.sha === examined.sha || state.head.at >= examined.at)
    return undefined;
  const pointers = new Map(others.map(({ application, pointer }) => [application, pointer]));
  const { cluster, application: own } = request.target;
  const isRead = (pointer: DesiredPointer | undefined): boolean =>
    pointer !== undefined &&
    (pointer.repository !== repository ||
      pointer.examined.sha === examined.sha ||
      pointer.examined.at >= examined.at);
  const applications =
    state.moving?.sha === examined.sha ? movedOn(cluster, state.moving.targets) : listedOn(cluster, state);
  for (const application of applications) {
    if (application === own) continue;
    const pointer = pointers.get(application) ?? (await readPointer(deps.store, { cluster, application }));
    if (!isRead(pointer)) {
      const sha = examined.sha.slice(0, 7);
      return `commit ${sha} is still being read, and ${application} of it may desire it; a later run decides`;
    }
  }
  return undefined;
}

/** What the commit changes nothing of is not written, and as good as read. */
function movedOn(cluster: string, targets: readonly string[]): string[] {
  return targets.flatMap((key) => (key.startsWith(`${cluster}/`) ? [key.slice(cluster.length + 1)] : []));
}

function listedOn(cluster: string, { applications }: RepositoryState): string[] {
  return Object.entries(applications).flatMap(([name, { clusters }]) =>
    clusters.includes(cluster) ? [name] : [],
  );
}

/** What a neighbour wants that cannot be read may be anything (rule 5). */
export function unknownText({ application, unknown }: Neighbour): string {
  return `whether the application ${application} still wants it cannot be told: ${unknown}`;
}
