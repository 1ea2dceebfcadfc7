import { Stop } from '../errors.ts';
import type { Worktree } from '../ports.ts';
import { placedObjects, readManifests, type PlacedObjects } from './manifests.ts';
import { matchesGlob } from './matches-glob.ts';
import type { ReadObjects } from './objects.ts';

export interface PlainSource {
  readonly path: string;
  /** Patterns of paths below that one; absent: every file. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Of another renderer. */
  readonly kustomize?: object;
}

/** Objects of a folder of plain YAML and JSON, and the files that they were read from. */
export interface PlainObjects extends PlacedObjects {
  readonly inputs: readonly string[];
}

/** Reads every manifest among `files`, which are those below the folder `path`. Throws Stop with every fault found. */
export async function readPlain(
  source: PlainSource,
  files: readonly string[],
  worktree: Worktree,
): Promise<PlainObjects> {
  const { path } = source;
  if (source.kustomize !== undefined) {
    const message = 'source.kustomize adds to a kustomization, and these are plain files; remove it';
    throw new Stop({ subject: `folder ${path}`, message });
  }
  const isWanted = chosen(source);
  const inputs = files.filter((file) => isWanted(file));
  const read: ReadObjects[] = [];
  for (const file of inputs) read.push(...readManifests(file, await worktree.text(file)));
  return { ...placedObjects(path, read), inputs };
}

/** YAML and JSON below the source path; what is hidden there (`.github`, `.sops.yaml`) is no manifest. */
function chosen({ path, include, exclude = [] }: PlainSource): (file: string) => boolean {
  return (file) => {
    // A path may be that of a single file, which stands for itself.
    const from = path === '.' ? 0 : file === path ? file.lastIndexOf('/') + 1 : path.length + 1;
    const below = file.slice(from);
    const isManifest = /\.(?:ya?ml|json)$/.test(below) && !/(?:^|\/)\./.test(below);
    const isIncluded = include === undefined || include.some((glob) => matchesGlob(glob, below));
    return isManifest && isIncluded && !exclude.some((glob) => matchesGlob(glob, below));
  };
}
