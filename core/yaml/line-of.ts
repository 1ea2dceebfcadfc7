import { EVENT_ID, getScalarValue, type Event } from 'js-yaml';

/** Where the parts of a file stand in it. What it must know for that is found once, when it is first asked. */
export class Places {
  readonly #source: string;
  readonly #events: readonly Event[];
  #lineStarts: readonly number[] | undefined;
  #children: ReadonlyMap<number, readonly number[]> | undefined;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  /**
   * Line, counted from 1, of the node at a path below the node that starts at `events[index]`, or of the deepest node on
   * the way that exists: a missing field is reported where it should be. A key's own line stands for its value.
   */
  lineOf(index: number, path: readonly PropertyKey[]): number {
    let offset = offsetOf(this.#events[index]);
    let parent = index;
    for (const step of path) {
      const child = this.#child(parent, step);
      if (child === undefined) break;
      offset = offsetOf(this.#events[child.start]) ?? offset;
      parent = child.value;
    }
    return this.#lineAt(offset ?? 0);
  }

  /** Indexes of the events of a child and of the key before it, if any, by its position in a list or its key in a map. */
  #child(parent: number, step: PropertyKey): { readonly start: number; readonly value: number } | undefined {
    this.#children ??= childrenOf(this.#events);
    const children = this.#children.get(parent) ?? [];
    const isList = this.#events[parent]?.type === EVENT_ID.SEQUENCE;
    // Of a map, keys and values by turns.
    const at = isList
      ? Number(step)
      : children.findIndex((child, index) => index % 2 === 0 && this.#scalarAt(child) === String(step));
    const [start, value] = [children[at], children[isList ? at : at + 1]];
    return start === undefined || value === undefined ? undefined : { start, value };
  }

  #scalarAt(index: number): string | undefined {
    const event = this.#events[index];
    return event?.type === EVENT_ID.SCALAR ? getScalarValue(this.#source, event) : undefined;
  }

  #lineAt(offset: number): number {
    this.#lineStarts ??= lineStartsOf(this.#source);
    let [low, high] = [0, this.#lineStarts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Offset in the source at which a node begins; undefined for document ends and aliases without one. */
function offsetOf(event: Event | undefined): number | undefined {
  if (event === undefined) return undefined;
  const starts = [
    'tagStart' in event ? event.tagStart : -1,
    'anchorStart' in event ? event.anchorStart : -1,
    'valueStart' in event ? event.valueStart : -1,
    'start' in event ? event.start : -1,
  ].filter((start) => start >= 0);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

function lineStartsOf(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Indexes of the events that begin the direct children of each list and map. */
function childrenOf(events: readonly Event[]): Map<number, number[]> {
  const children = new Map<number, number[]>();
  const open: number[] = [];
  events.forEach(({ type }, index) => {
    if (type === EVENT_ID.POP) {
      open.pop();
      return;
    }
    const parent = open.at(-1);
    if (parent !== undefined) children.get(parent)?.push(index);
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE || type === EVENT_ID.DOCUMENT) {
      children.set(index, []);
      open.push(index);
    }
  });
  return children;
}
