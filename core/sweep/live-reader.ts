import { labels } from '../contract/kubernetes.ts';
import { Blocked, Retry } from '../errors.ts';
import { refKey, refOf, type LiveObject } from '../model/object.ts';
import type { Cluster, ObjectAddress } from '../ports.ts';
import { kindOfKey, type LabelledObjects } from './listed-kinds.ts';

/** From so many objects of a kind, and this share of all that we have of it, one list is less work than a GET each. */
const listFrom = 25;
const listShare = 0.2;
/** More than that are not held in memory at once. */
const mostListed = 5000;

type Listed = ReadonlyMap<string, LiveObject>;

/** How many objects of each kind will probably be read, and how many there are. */
type Wanted = ReadonlyMap<string, { readonly read: number; readonly all: number }>;

/** Reads whole objects: one by one, or all of a kind in one list where many are going to be read. */
export class LiveReader {
  readonly #cluster: Cluster;
  readonly #labelled: Pick<LabelledObjects, 'kinds'>;
  readonly #wanted: () => Wanted;
  #worthList: ReadonlySet<string> | undefined;
  readonly #lists = new Map<string, Promise<Listed>>();

  /** `wanted` is asked for with the first read: a clean check has none. */
  constructor(cluster: Cluster, labelled: Pick<LabelledObjects, 'kinds'>, wanted: () => Wanted) {
    this.#cluster = cluster;
    this.#labelled = labelled;
    this.#wanted = wanted;
  }

  /** Undefined when it is not there. What a list does not have is asked for by its name before that is said. */
  async read(key: string, address: ObjectAddress): Promise<LiveObject | undefined> {
    const kind = kindOfKey(key);
    this.#worthList ??= worthList(this.#wanted());
    const listed = this.#worthList.has(kind) ? await this.#list(kind) : undefined;
    const live = listed?.get(key);
    return live?.apiVersion === address.apiVersion ? live : this.#cluster.get(address);
  }

  async #list(kind: string): Promise<Listed | undefined> {
    const resource = this.#labelled.kinds.get(kind)?.resource;
    if (resource === undefined) return undefined;
    const list = this.#lists.get(kind) ?? this.#cluster.list(resource, labels.application).then(byKey, none);
    this.#lists.set(kind, list);
    return list;
  }
}

function worthList(wanted: Wanted): ReadonlySet<string> {
  return new Set(
    [...wanted]
      .filter(([, { read, all }]) => read >= listFrom && read >= all * listShare && all <= mostListed)
      .map(([kind]) => kind),
  );
}

function byKey({ items }: { readonly items: readonly LiveObject[] }): Listed {
  return new Map(items.map((live) => [refKey(refOf(live)), live]));
}

/** A refusal, or a list that one broken object spoils, is told object by object, by the GET that follows. */
function none(error: unknown): Listed {
  if (error instanceof Blocked || error instanceof Retry) return new Map();
  throw error;
}
