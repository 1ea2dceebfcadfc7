import { Stop, faultsOf, type Fault } from '../errors.ts';
import type { Application } from '../model/application.ts';
import type { ImagePolicy } from '../model/image-policy.ts';
import type { Image } from '../model/image.ts';
import type { ImageMemory, PolicyMemory } from '../model/image-memory.ts';
import { scalarsOf, withScalars, type ScalarEdit } from '../yaml/scalars.ts';
import { isFollowed, replaces } from './compare-tags.ts';
import { fluxPolicies, mayHoldPolicies } from './flux-policies.ts';
import {
  applicationPaths,
  helmPlaces,
  kustomizePlaces,
  markedPlaces,
  policyName,
  type ImagePlace,
  type ScannedFile,
} from './image-places.ts';
import { isSameRepository } from './image-reference.ts';

/** An Application of a checkout, and where it stands. */
interface FollowingApplication {
  readonly application: Application;
  readonly file: string;
}

/** A checkout, as far as images may be named in it: text by path. */
export interface UpdateInput {
  readonly files: ReadonlyMap<string, string>;
  readonly applications: readonly FollowingApplication[];
  /** `at`: when its push was told of; absent: now, by a person. */
  readonly image: Pick<Image, 'repository' | 'tag' | 'digest'> & { readonly at?: string };
  /** What was written before, by policy: what a person took back is not written again. */
  readonly memory?: ImageMemory['policies'];
}

/** One value that changes. */
export interface ImageChange {
  /** `APPLICATION:NAME`, or `NAMESPACE:NAME` of Flux. */
  readonly policy: string;
  /** `apps/shop/kustomization.yaml:7`. */
  readonly place: string;
  readonly from: string;
  readonly to: string;
}

/** What an image changes in a checkout: decided, and nothing written. */
export interface ImageUpdate {
  readonly changes: readonly ImageChange[];
  /** Whole new texts by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Policies of the image that change nothing, each with the reason. */
  readonly left: readonly { readonly policy: string; readonly reason: string }[];
  /** Policies that cannot be followed; the others are all the same. */
  readonly faults: readonly Fault[];
  /** Of the policies that changed. */
  readonly memory: ImageMemory['policies'];
}

type Following = Pick<ImagePolicy, 'image' | 'policy' | 'filter' | 'digest'>;

interface Follower {
  readonly name: string;
  readonly following: Following;
  readonly places: () => readonly ImagePlace[];
  /** What to do where the image stands nowhere. */
  readonly advice: string;
}

/** The edits that an image pushed to a registry asks for, by the policies of the checkout. */
export function planImageUpdate(input: UpdateInput): ImageUpdate {
  const { image, files, memory = {} } = input;
  const scanned = scanner(files);
  const followers = [...ownFollowers(input, scanned), ...fluxFollowers(files, scanned)].filter(
    ({ following }) => isSameRepository(following.image, image.repository),
  );
  const changes: ImageChange[] = [];
  const left: { policy: string; reason: string }[] = [];
  const faults: Fault[] = [];
  const next: Record<string, PolicyMemory> = {};
  const edits = new Map<string, Map<number, ScalarEdit>>();
  for (const follower of followers) {
    const { name } = follower;
    const found = orFaults(() => editsOf(follower, image, memory[name]));
    if ('faults' in found) {
      faults.push(...found.faults);
      continue;
    }
    const { rejected } = found;
    if ('reason' in found) {
      left.push({ policy: name, reason: found.reason });
      if (rejected.length > 0) next[name] = { ...memory[name], rejected };
      continue;
    }
    next[name] = { last: image.tag, ...(image.at !== undefined && { at: image.at }), rejected };
    for (const { place, edit } of found.edits) {
      const { scalar, value, beside } = edit;
      const ofFile = edits.get(place.file) ?? new Map<number, ScalarEdit>();
      edits.set(place.file, ofFile.set(scalar.start, edit));
      const to = beside === undefined ? value : `${value}@${beside[1]}`;
      changes.push({ policy: name, place: `${place.file}:${scalar.line}`, from: scalar.value, to });
    }
  }
  const texts = [...edits].map(
    ([file, ofFile]) => [file, withScalars(files.get(file) ?? '', [...ofFile.values()])] as const,
  );
  return { changes, files: new Map(texts), left, faults, memory: next };
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

/** Throws Stop for a policy that cannot be followed, and for a place that would come to name another image. */
function editsOf(
  { name, following, places, advice }: Follower,
  { tag, digest, at }: UpdateInput['image'],
  memory: PolicyMemory = { rejected: [] },
): { readonly rejected: readonly string[] } & (
  | { readonly edits: readonly { readonly place: ImagePlace; readonly edit: ScalarEdit }[] }
  | { readonly reason: string }
) {
  const nothing = (reason: string, rejected: readonly string[] = []) => ({ reason, rejected });
  if (!isFollowed(following, tag, name)) return nothing(`its policy does not follow the tag ${tag}`);
  const found = places();
  if (found.length === 0) return nothing(`the image stands nowhere that it may be edited; ${advice}`);
  const current = found.find((place) => place.current.tag !== undefined)?.current.tag;
  const rejected = rejectedBy(following, memory, current, name);
  if (rejected.includes(tag))
    return nothing(`a person took ${tag} back; write it by hand, or push another tag`, rejected);
  if (current !== undefined && !replaces(following, tag, current, name) && current !== tag)
    return nothing(`${current} stands there, which its policy puts before ${tag}`);
  // Only time tells which of two pushes is the newer: of a tag that moves, and where the newest wins.
  const isTimed = following.policy.newest !== undefined || current === tag;
  if (isTimed && at !== undefined && memory.at !== undefined && at < memory.at)
    return nothing(`a later push was written already`, rejected);
  const isPinned = following.digest === 'always' || found.some((place) => place.current.digest !== undefined);
  if (isPinned && digest === undefined) {
    const [place] = found;
    const subject = place === undefined ? name : `${place.file}:${place.scalar.line}`;
    const message = `is pinned by digest, and none is known of the tag ${tag}; name it as REPOSITORY:TAG@DIGEST`;
    throw new Stop({ subject, message });
  }
  const next = { repository: following.image, tag, ...(isPinned && digest !== undefined && { digest }) };
  const edits = found.flatMap((place) => {
    const edit = place.edit(next);
    return edit === undefined ? [] : [{ place, edit }];
  });
  return edits.length === 0 ? nothing(`it stands at ${tag} already`) : { edits, rejected };
}

const mostRejected = 50;

/** What was written last and stands there no more, though what stands there is older: a person took it back. */
function rejectedBy(
  following: Following,
  { last, rejected }: PolicyMemory,
  current: string | undefined,
  name: string,
): readonly string[] {
  const isBack =
    last !== undefined &&
    current !== undefined &&
    current !== last &&
    replaces(following, last, current, name);
  return isBack ? [...new Set([...rejected, last])].slice(-mostRejected) : rejected;
}

function ownFollowers(
  { applications, files }: UpdateInput,
  scanned: (file: string) => ScannedFile | undefined,
): readonly Follower[] {
  return applications.flatMap(({ application, file }) =>
    application.spec.images.map((policy): Follower => {
      const name = policyName(application, policy);
      const places = (): readonly ImagePlace[] => {
        const own = scanned(file);
        const document = documentOf(own, application);
        const { path } = application.spec.source;
        const folder = path === '.' ? '' : `${path}/`;
        const kustomization = kustomizationNames.map((each) => scanned(`${folder}${each}`));
        return [
          ...kustomization.flatMap((each) => each ?? []).flatMap((each) => kustomizePlaces(each, policy)),
          ...(own === undefined ? [] : kustomizePlaces(own, policy, applicationPaths.kustomize, document)),
          ...policy.helm.flatMap((values) => {
            if (values.file === undefined)
              return own === undefined ? [] : helmPlaces(own, values, applicationPaths.values, document);
            const there = scanned(`${folder}${values.file}`);
            return there === undefined ? [] : helmPlaces(there, values);
          }),
          ...marked(files, scanned, name),
        ];
      };
      const advice = `put it into images of the kustomization in ${application.spec.source.path}, name its Helm values, or mark it with # {"$imagepolicy": "${name}"}`;
      return { name, following: policy, places, advice };
    }),
  );
}

function fluxFollowers(
  files: UpdateInput['files'],
  scanned: (file: string) => ScannedFile | undefined,
): readonly Follower[] {
  const holding = [...files].flatMap(([file, text]) => (mayHoldPolicies(text) ? [{ file, text }] : []));
  return fluxPolicies(holding).map(({ name, following }) => ({
    name,
    following,
    places: () => marked(files, scanned, name),
    advice: `mark it with # {"$imagepolicy": "${name}"}`,
  }));
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

function marked(
  files: UpdateInput['files'],
  scanned: (file: string) => ScannedFile | undefined,
  policy: string,
): readonly ImagePlace[] {
  const named = [...files].filter(([, text]) => text.includes(`"${policy}`) && text.includes('$imagepolicy'));
  return named.flatMap(([file]) => {
    const found = scanned(file);
    return found === undefined ? [] : markedPlaces(found, policy);
  });
}

/** Each file is parsed once, and only if a policy asks for it. */
function scanner(files: UpdateInput['files']): (file: string) => ScannedFile | undefined {
  const known = new Map<string, ScannedFile>();
  return (file) => {
    const text = files.get(file);
    if (text === undefined) return undefined;
    const scan = known.get(file) ?? { file, scalars: scalarsOf(file, text) };
    known.set(file, scan);
    return scan;
  };
}

/** Which document of its file an Application is. */
function documentOf(file: ScannedFile | undefined, { metadata }: Application): number {
  const names = file?.scalars.filter(({ path }) => path.join('.') === 'metadata.name') ?? [];
  return names.find(({ value }) => value === metadata.name)?.document ?? 0;
}
