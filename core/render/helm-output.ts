import type { Fault } from '../errors.ts';
import type { LoadedChart } from './helm-load.ts';
import { placedObjects, readManifests, type PlacedObjects } from './manifests.ts';
import type { ReadObjects } from './objects.ts';

/**
 * Objects of what `helm template` printed, each with the template that gave it. Throws Stop with every fault found, and
 * never with content.
 */
export function readOutput(path: string, output: string, chart: LoadedChart): PlacedObjects {
  const read: ReadObjects[] = [];
  // A file of definitions is printed as it is, and may hold several documents under its one source.
  let source = chart.placeOf('templates');
  for (const part of output.split(/^---(?=\s|$)/m)) {
    const [, inside] = /^# Source: [^/\n]+\/(.+)$/m.exec(part) ?? [];
    if (inside !== undefined) source = chart.placeOf(inside);
    read.push(...readManifests(source, part).map((one) => rendered(one)));
  }
  return placedObjects(path, read);
}

/** Lines count in what was rendered, not in the template: a place is the template alone. */
function rendered({ objects, faults }: ReadObjects): ReadObjects {
  return {
    objects: objects.map(({ object, place }) => ({ object, place: fileOf(place) })),
    faults: faults.map(({ subject, message }): Fault => ({
      subject: `${fileOf(subject)} (as rendered)`,
      message,
    })),
  };
}

function fileOf(place: string): string {
  return place.replace(/:[0-9]+$/, '');
}
