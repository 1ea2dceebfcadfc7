/**
 * Keys as paths below a folder, each way. Safe on file systems that know no upper case, for `.` and `..`, and for a
 * key that is the folder of another one; names stay readable for keys as trueup makes them.
 */

const plain = /[a-z0-9._=~@+,-]/;
/** Nearly every segment; none that begins with a dot. */
const allPlain = /^[a-z0-9_=~@+,-][a-z0-9._=~@+,-]*$/;
/** A file's name says so, and no folder's does: `a` and `a/b` are two keys, and can both be there. */
const fileName = /\.(?:json|gz)$/;
const fileMark = '%f';
const folderMark = '%d';

/** `a/B` gives `a/%42%f`. */
export function pathOfKey(key: string): string {
  const segments = key.split('/');
  const last = segments.pop() ?? '';
  return [...segments.map(folderOf), fileOf(last)].join('/');
}

/** Path of the folder that a prefix ends in: `a/b/c` gives `a/b`. */
export function folderOfPrefix(prefix: string): string {
  return prefix.split('/').slice(0, -1).map(folderOf).join('/');
}

/** Back from the name of a file or folder to the part of a key; undefined for what is not ours. */
export function segmentOf(name: string): string | undefined {
  if (name.startsWith('.')) return undefined;
  if (!name.includes('%')) return name;
  const bare = name.replace(/%[fd]?$/, '');
  try {
    return decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}

function fileOf(segment: string): string {
  return fileName.test(segment) ? escaped(segment) : `${escaped(segment)}${fileMark}`;
}

function folderOf(segment: string): string {
  const name = escaped(segment);
  if (segment === '') return '%';
  return fileName.test(segment) ? `${name}${folderMark}` : name;
}

/** A dot in front is escaped: no `..`, nothing hidden, and names with a dot stay free for our own files. */
function escaped(segment: string): string {
  if (allPlain.test(segment)) return segment;
  return segment.replace(/^\.|[^]/gu, (character, at: number) => {
    if (plain.test(character) && !(at === 0 && character === '.')) return character;
    return [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('');
  });
}
