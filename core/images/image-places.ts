import type { ImagePolicy } from '../model/image-policy.ts';
import type { Scalar, ScalarEdit } from '../yaml/scalars.ts';
import { formatImage, isSameRepository, parseImage, type ImageReference } from './image-reference.ts';

/** One place of a file that names an image: what it says now, and what it would have to say for another. */
export interface ImagePlace {
  readonly file: string;
  readonly scalar: Scalar;
  /** By which it is known again while lines and entries come and go around it. */
  readonly key: string;
  /** That of a value beside it in the same map. */
  readonly keyBeside: (field: string) => string;
  /** What stands there of the image; a tag, a digest, or both. */
  readonly current: Pick<ImageReference, 'tag' | 'digest'>;
  /** Undefined where it says so already. */
  readonly edit: (image: ImageReference) => ScalarEdit | undefined;
}

/** A file of the checkout with its scalars. */
export interface ScannedFile {
  readonly file: string;
  readonly scalars: readonly Scalar[];
}

type Part = 'image' | 'tag' | 'digest' | 'name';

/** `{"$imagepolicy": "NAMESPACE:NAME:tag"}`, as Flux writes it behind a value. */
const marker = /\{\s*"\$imagepolicy"\s*:\s*"(?<policy>[^":]+:[^":]+)(?::(?<part>tag|name|digest))?"\s*\}/;

/** Values that carry a setter marker of a policy (`NAMESPACE:NAME` of Flux, `APPLICATION:NAME` of ours). */
export function markedPlaces(scanned: ScannedFile, policy: string): readonly ImagePlace[] {
  return scanned.scalars.flatMap((scalar) => {
    const found = marker.exec(scalar.comment)?.groups;
    if (found?.['policy'] !== policy) return [];
    return placeOf(scanned, scalar, partOf(found['part']));
  });
}

function partOf(word: string | undefined): Part {
  return word === 'tag' || word === 'name' || word === 'digest' ? word : 'image';
}

/** The entries of `images` of a kustomization, or of `spec.source.kustomize.images` of an Application, for an image. */
export function kustomizePlaces(
  scanned: ScannedFile,
  { image }: Pick<ImagePolicy, 'image'>,
  above: readonly string[] = [],
  document = 0,
): readonly ImagePlace[] {
  const entries = Map.groupBy(
    scanned.scalars.filter((scalar) => scalar.document === document && isEntry(scalar, above)),
    ({ path }) => path[above.length + 1],
  );
  return [...entries.values()].flatMap((entry) => {
    const valueOf = (field: string) => entry.find(({ path }) => path.at(-1) === field);
    const names = [valueOf('newName') ?? valueOf('name')];
    if (!names.some((name) => name !== undefined && isSameRepository(name.value, image))) return [];
    const [tag, digest] = [valueOf('newTag'), valueOf('digest')];
    return [
      ...(tag === undefined
        ? []
        : placeOf(scanned, tag, 'tag', digest === undefined ? 'digest' : 'elsewhere')),
      ...(digest === undefined ? [] : placeOf(scanned, digest, 'digest')),
    ];
  });
}

function isEntry({ path }: Scalar, above: readonly string[]): boolean {
  const isBelow = above.every((part, index) => path[index] === part);
  return isBelow && path.length === above.length + 3 && path[above.length] === 'images';
}

/** Values of a chart, by the paths that a policy names; `above` is where they begin in the file. */
export function helmPlaces(
  scanned: ScannedFile,
  { tag, digest, image }: ImagePolicy['helm'][number],
  above: readonly string[] = [],
  document = 0,
): readonly ImagePlace[] {
  const at = (path: string | undefined, part: Part): readonly ImagePlace[] => {
    if (path === undefined) return [];
    const wanted = [...above, ...path.split('.')].join('\n');
    return scanned.scalars
      .filter((scalar) => scalar.document === document && scalar.path.join('\n') === wanted)
      .flatMap((scalar) => placeOf(scanned, scalar, part, digest === undefined ? 'same' : 'elsewhere'));
  };
  return [...at(tag, 'tag'), ...at(digest, 'digest'), ...at(image, 'image')];
}

/** Where the digest of a tag goes: behind it in the same value, into a key beside it, or into a place of its own. */
type DigestPlace = 'same' | 'digest' | 'elsewhere';

function placeOf(
  scanned: ScannedFile,
  scalar: Scalar,
  part: Part,
  digestPlace: DigestPlace = 'elsewhere',
): readonly ImagePlace[] {
  const { file } = scanned;
  const { value, path } = scalar;
  const key = keyOf(scanned, scalar, path);
  const keyBeside = (field: string) => keyOf(scanned, scalar, [...path.slice(0, -1), field]);
  const place = (current: ImagePlace['current'], edit: ImagePlace['edit']) => [
    { file, scalar, key, keyBeside, current, edit },
  ];
  const to = (text: string | undefined): ScalarEdit | undefined =>
    text === undefined || text === value ? undefined : { scalar, value: text };
  switch (part) {
    case 'name':
      return place({}, ({ repository }) => to(repository));
    case 'digest':
      return place({ digest: value }, ({ digest }) => to(digest));
    case 'tag':
      return place(tagAndDigest(value), ({ tag, digest }) => {
        if (tag === undefined) return undefined;
        if (digest === undefined || (digestPlace === 'elsewhere' && !value.includes('@'))) return to(tag);
        if (digestPlace === 'digest') return { scalar, value: tag, beside: ['digest', digest] };
        return to(`${tag}@${digest}`);
      });
    case 'image': {
      const { repository: named, ...current } = parseImage(value) ?? {};
      return place(current, (image) => to(formatImage({ ...image, repository: named ?? image.repository })));
    }
    default:
      return unknownPart(part);
  }
}

/** Keys of all places that name an image once it is written: an edit may put a key of its own beside one. */
export function placeKeys(
  found: readonly ImagePlace[],
  edits: readonly { readonly place: ImagePlace; readonly edit: ScalarEdit }[],
): string[] {
  const added = edits.flatMap(({ place, edit: { beside } }) =>
    beside === undefined ? [] : [place.keyBeside(beside[0])],
  );
  return [...new Set([...found.map(({ key }) => key), ...added])].toSorted();
}

/**
 * By names alone: whoever puts an entry or a document before it leaves it what it is. Of two that have one name, or none, one
 * that came since counts as written: better it stays behind once than that what a person took back is written again.
 */
function keyOf(
  { file, scalars }: ScannedFile,
  { document }: Pick<Scalar, 'document'>,
  path: Scalar['path'],
): string {
  const valueAt = (at: Scalar['path']): string | undefined => {
    const wanted = at.join('\n');
    const isThere = (one: Scalar) => one.document === document && one.path.length === at.length;
    return scalars.find((one) => isThere(one) && one.path.join('\n') === wanted)?.value;
  };
  const parts = path.map((part, index) => {
    if (typeof part === 'string') return part;
    const entry = path.slice(0, index + 1);
    return `[${valueAt([...entry, 'newName']) ?? valueAt([...entry, 'name']) ?? ''}]`;
  });
  return `${file}#${valueAt(['metadata', 'name']) ?? ''}.${parts.join('.')}`;
}

function unknownPart(part: never): never {
  throw new Error(`no part of an image: ${String(part)}`);
}

/** A tag may carry its digest: `1.2.3@sha256:…`. */
function tagAndDigest(value: string): ImagePlace['current'] {
  const [tag = '', digest] = value.split('@');
  return { tag, ...(digest !== undefined && { digest }) };
}

/** Where an Application keeps what it adds to its kustomization, and its values. */
export const applicationPaths = {
  kustomize: ['spec', 'source', 'kustomize'],
  values: ['spec', 'source', 'helm', 'values'],
} as const;
