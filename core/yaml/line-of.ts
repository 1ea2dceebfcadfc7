import { EVENT_ID, getScalarValue, type Event } from 'js-yaml';

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

/** Line of an offset, counted from 1. */
export function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

/**
 * Offset of the node at a path below the node that starts at `events[index]`, or of the deepest node on the way that
 * exists: a missing field is reported where it should be. A key's own offset stands for its value.
 */
export function offsetOfPath(
  source: string,
  events: readonly Event[],
  index: number,
  path: readonly PropertyKey[],
): number | undefined {
  let offset = offsetOf(events[index]);
  let parent = index;
  for (const step of path) {
    const child = childOf(source, events, parent, step);
    if (child === undefined) break;
    offset = child.offset ?? offset;
    parent = child.index;
  }
  return offset;
}

interface Child {
  readonly index: number;
  readonly offset: number | undefined;
}

function childOf(
  source: string,
  events: readonly Event[],
  parent: number,
  step: PropertyKey,
): Child | undefined {
  const type = events[parent]?.type;
  if (type !== EVENT_ID.MAPPING && type !== EVENT_ID.SEQUENCE) return undefined;
  let position = 0;
  let index = parent + 1;
  while (events[index] !== undefined && events[index]?.type !== EVENT_ID.POP) {
    if (type === EVENT_ID.SEQUENCE) {
      if (position === step) return { index, offset: offsetOf(events[index]) };
      index = behind(events, index);
    } else {
      const value = behind(events, index);
      if (scalarAt(source, events[index]) === String(step))
        return { index: value, offset: offsetOf(events[index]) };
      index = behind(events, value);
    }
    position += 1;
  }
  return undefined;
}

function scalarAt(source: string, event: Event | undefined): string | undefined {
  return event?.type === EVENT_ID.SCALAR ? getScalarValue(source, event) : undefined;
}

/** Index of the event after the node that starts at `index`, its children included. */
function behind(events: readonly Event[], index: number): number {
  let depth = 0;
  for (let next = index; next < events.length; next += 1) {
    const type = events[next]?.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth += 1;
    if (type === EVENT_ID.POP) depth -= 1;
    if (depth === 0) return next + 1;
  }
  return events.length;
}
