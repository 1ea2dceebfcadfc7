import { podSpecs } from '../compare/pod-specs.ts';
import { keys } from '../contract/keys.ts';
import { canonicalRepository, parseImage } from '../images/image-reference.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import { objectsOf, textOf } from '../model/json-parts.ts';
import type { KubeObject } from '../model/object.ts';
import type { Store } from '../ports.ts';
import { decodeSnapshot } from '../snapshot.ts';

/** Snapshots whose images are kept in mind; each is a handful of names. */
const mostKept = 5_000;

/** Which images snapshots name. They are known by their contents, so that what was read of one stays true. */
export class SnapshotImages {
  readonly #store: Pick<Store, 'get'>;
  readonly #known = new Map<string, ReadonlySet<string>>();

  constructor(store: Pick<Store, 'get'>) {
    this.#store = store;
  }

  /** Their repositories, each in one spelling (`canonicalRepository`); none of a snapshot that is not kept or cannot be read. */
  async of(application: string, digest: string): Promise<ReadonlySet<string>> {
    const key = keys.snapshot(application, digest);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const stored = await this.#store.get(key);
    const found = stored === undefined ? new Set<string>() : imagesIn(digest, stored.text);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= mostKept && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, found);
    return found;
  }
}

function imagesIn(digest: string, text: string): ReadonlySet<string> {
  try {
    return new Set(decodeSnapshot(digest, text).objects.flatMap(repositoriesOf));
  } catch (error) {
    // The target itself says so; what happened to others is told all the same.
    if (error instanceof LostSnapshot) return new Set();
    throw error;
  }
}

function repositoriesOf(object: KubeObject): readonly string[] {
  const containers = podSpecs(object).flatMap((spec) =>
    [spec['initContainers'], spec['containers']].flatMap(objectsOf),
  );
  return containers.flatMap(({ image }) => {
    const parsed = parseImage(textOf(image));
    return parsed === undefined ? [] : [canonicalRepository(parsed.repository)];
  });
}
