import { Stop, faultsOf, type Fault } from '../errors.ts';
import { refKey, refOf, type KubeObject } from '../model/object.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import { assertUsable, objectsOf, type ReadObjects } from './objects.ts';

/** Objects of one file or of one renderer's output. Faults are kept, so that the next file's are found too. */
export function readManifests(file: string, text: string): readonly ReadObjects[] {
  try {
    return readYaml(file, text).map((document) => objectsOf(document));
  } catch (error) {
    const faults: readonly Fault[] | undefined = faultsOf(error);
    if (faults === undefined) throw error;
    return [{ objects: [], faults }];
  }
}

/** What an application is to be, and where each object stands. */
export interface PlacedObjects {
  readonly objects: readonly KubeObject[];
  /** Object key to file and line. */
  readonly origins: { readonly [objectKey: string]: string };
}

/** A person looks after an application, and a run applies it, in one go. */
const maxObjects = 10_000;

/** All that was read of the folder `path`, together. Throws Stop with every fault found. */
export function placedObjects(path: string, read: readonly ReadObjects[]): PlacedObjects {
  const placed = read.flatMap(({ objects }) => objects);
  if (placed.length > maxObjects) {
    const message = `gives ${placed.length} objects, and an application has ${maxObjects} at most; split it`;
    throw new Stop({ subject: `folder ${path}`, message });
  }
  assertUsable(path, { objects: placed, faults: read.flatMap(({ faults }) => faults) });
  const origins = Object.fromEntries(placed.map(({ object, place }) => [refKey(refOf(object)), place]));
  return { objects: placed.map(({ object }) => object), origins };
}
