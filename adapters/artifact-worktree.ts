import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Stop } from '../core/errors.ts';
import type { Commit } from '../core/model/commit.ts';
import type { Worktree } from '../core/ports.ts';
import { unpackArchive } from './archive.ts';
import { scratchFolder } from './scratch-folder.ts';
import { DiskWorktree } from './worktree.ts';
import { isZip, unpackZip } from './zip-archive.ts';

/** Most bytes of one file; as for Git. */
const fileBytes = 32 * 1024 * 1024;
const maxEntries = 50_000;
const maxNameBytes = 255;
const maxPathBytes = 1024;
const modes = { file: '100644', folder: '040000' } as const;

/** What stands below a folder: a folder, or the id of a file. */
type Tree = Map<string, Tree | string>;

/**
 * The files of an archive (.tar.gz or .zip) as a checked-out tree. Contents have ids as those of a commit have, so that only what
 * changed is rendered. Throws Stop, naming `subject`, for an archive that is refused.
 */
export async function artifactWorktree(
  archive: Uint8Array,
  commit: Commit,
  subject: string,
): Promise<Worktree> {
  const unpack = isZip(archive) ? unpackZip : unpackArchive;
  const unpacked = await unpack(archive, subject, { noun: 'artifact', fileBytes });
  // No renderer looks there, and nobody means to deploy it.
  const files = [...unpacked].filter(([path]) => !path.split('/').includes('.git'));
  const ids = idsOf(files, subject);
  const { path: scratch } = await scratchFolder('trueup-artifact-');
  const directory = join(scratch, 'tree');
  await mkdir(directory);
  for (const folder of new Set(files.map(([path]) => dirname(path)))) {
    await mkdir(join(directory, folder), { recursive: true });
  }
  for (const [path, content] of files) await writeFile(join(directory, path), content);
  return new DiskWorktree({ directory, scratch, commit, ids, fileBytes, materialize: async () => undefined });
}

function idsOf(files: readonly (readonly [string, Uint8Array])[], subject: string): Map<string, string> {
  const root: Tree = new Map();
  let entries = 1;
  for (const [path, content] of files) {
    const refuse = (message: string): Stop => new Stop({ subject, message });
    const parts = path.split('/');
    const isLong = parts.some((part) => Buffer.byteLength(part) > maxNameBytes);
    if (isLong || Buffer.byteLength(path) > maxPathBytes) {
      throw refuse(`holds a path longer than ${maxPathBytes} bytes, or a name longer than ${maxNameBytes}`);
    }
    const name = parts.pop() ?? '';
    let folder = root;
    for (const part of parts) {
      const below: Tree | string = folder.get(part) ?? new Map<string, Tree | string>();
      if (typeof below === 'string') throw refuse(`holds ${path} below what is a file`);
      if (!folder.has(part)) entries += 1;
      folder.set(part, below);
      folder = below;
    }
    if (typeof folder.get(name) === 'object') throw refuse(`holds ${path} as a file and as a folder`);
    folder.set(name, `${modes.file} ${createHash('sha256').update(content).digest('hex')}`);
    entries += 1;
    if (entries > maxEntries) throw refuse(`holds more than ${maxEntries} files and folders`);
  }
  const ids = new Map<string, string>();
  addIds('.', root, ids);
  return ids;
}

/** Equal ids are equal contents, folders too. */
function addIds(path: string, tree: Tree, ids: Map<string, string>): string {
  const lines = [...tree].map(([name, below]) => {
    const place = path === '.' ? name : `${path}/${name}`;
    const id = typeof below === 'string' ? below : addIds(place, below, ids);
    ids.set(place, id);
    // A slash is in no name.
    return `${name}/${id}`;
  });
  const id = `${modes.folder} ${createHash('sha256').update(lines.sort().join('\n')).digest('hex')}`;
  ids.set(path, id);
  return id;
}
