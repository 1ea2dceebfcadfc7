import { faultsOf, type Fault } from '../errors.ts';
import type { PushedImage } from '../model/image.ts';
import type { ImageMemory, PolicyMemory } from '../model/image-memory.ts';
import { withScalars, type ScalarEdit } from '../yaml/scalars.ts';
import { decideImage } from './decide-image.ts';
import { followersIn, type FollowersInput } from './followers.ts';
import { isSameRepository } from './image-reference.ts';

/** A checkout, and what is to be written into it. */
export interface UpdateInput extends FollowersInput {
  /** In the order of their pushes. */
  readonly images: readonly PushedImage[];
  /** What was written before, by policy: what a person took back is not written again. */
  readonly memory?: ImageMemory['policies'];
}

/** One value that changes. */
export interface ImageChange {
  /** `APPLICATION:NAME`, or `NAMESPACE:NAME` of Flux. */
  readonly policy: string;
  /** Absent for a policy of Flux. */
  readonly application?: string;
  readonly image: PushedImage;
  readonly file: string;
  /** `apps/shop/kustomization.yaml:7`. */
  readonly place: string;
  readonly from: string;
  readonly to: string;
  /** The same tag stands in every place of the policy, and leads elsewhere now. */
  readonly isMoved: boolean;
  readonly edit: ScalarEdit;
}

/** What images change in a checkout: decided, and nothing written. */
export interface ImageUpdate {
  readonly changes: readonly ImageChange[];
  /** Policies of the images that change nothing, each with the reason. */
  readonly left: readonly { readonly policy: string; readonly reason: string }[];
  /** Policies that cannot be followed; the others are all the same. */
  readonly faults: readonly Fault[];
  /** Of the policies of the images, as it is once the changes are written. */
  readonly memory: ImageMemory['policies'];
  /** Tags that somebody told of, by policy, where the newest wins: registries tell no time of a push. */
  readonly told: Readonly<Record<string, readonly string[]>>;
}

/**
 * The edits that images pushed to registries ask for, by the policies of the checkout. Of several images that one policy
 * follows, one is written.
 */
export function planImageUpdate(input: UpdateInput): ImageUpdate {
  const { images, memory = {} } = input;
  const changes: ImageChange[] = [];
  const left: { policy: string; reason: string }[] = [];
  const faults: Fault[] = [];
  const next: Record<string, PolicyMemory> = {};
  const told: Record<string, readonly string[]> = {};
  for (const follower of followersIn(input)) {
    const { name, application, following } = follower;
    const own = images.filter(
      ({ repository, policy = name }) => policy === name && isSameRepository(following.image, repository),
    );
    if (own.length === 0) continue;
    const decided = orFaults(() => decideImage(follower, own, memory[name]));
    if ('faults' in decided) {
      faults.push(...decided.faults);
      continue;
    }
    const { chosen, edits, reasons, isMoved = false } = decided;
    left.push(...reasons.map((reason) => ({ policy: name, reason })));
    if (following.policy.newest !== undefined) {
      const tags = own.flatMap(({ tag, policy }) => (policy === undefined ? tag : []));
      if (tags.length > 0) told[name] = [...new Set(tags)];
    }
    if (chosen !== undefined || memory[name] !== undefined) next[name] = decided.memory;
    if (chosen === undefined) continue;
    for (const { place, edit } of edits) {
      const { scalar, value, beside } = edit;
      changes.push({
        policy: name,
        ...(application !== undefined && { application }),
        image: chosen,
        file: place.file,
        place: `${place.file}:${scalar.line}`,
        from: scalar.value,
        to: beside === undefined ? value : `${value}@${beside[1]}`,
        isMoved,
        edit,
      });
    }
  }
  return { changes, left, faults, memory: next, told };
}

/** Whole new texts of the files that these changes, all of one plan, are in. */
export function filesWith(
  files: ReadonlyMap<string, string>,
  changes: readonly ImageChange[],
): ReadonlyMap<string, string> {
  const texts = [...Map.groupBy(changes, ({ file }) => file)].map(([file, own]) => {
    // Two policies may lead to one place: it is written once.
    const edits = new Map(own.map(({ edit }) => [edit.scalar.start, edit]));
    return [file, withScalars(files.get(file) ?? '', [...edits.values()])] as const;
  });
  return new Map(texts);
}

/** One policy that cannot be followed leaves the others alone. */
function orFaults<T>(work: () => T): T | { readonly faults: readonly Fault[] } {
  try {
    return work();
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { faults };
  }
}
