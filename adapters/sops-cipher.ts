import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';
import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { encryptedPattern, isEncrypted } from '../core/model/sops.ts';

/** Which leaf does not open; never with what it holds. */
export class AlteredLeaf extends Error {
  readonly path: readonly string[];
  constructor(path: readonly string[], options?: ErrorOptions) {
    super(`${path.join('.')} does not open`, options);
    this.path = path;
  }
}

const tagLength = 16;

/** One leaf, bound to `context`: its path, or for the MAC the time of the last change. Throws a plain error when altered. */
function openLeaf(
  key: Uint8Array,
  leaf: string,
  context: string,
): { readonly type: string; readonly plain: Buffer } {
  const [, data = '', iv = '', tag = '', type = ''] = encryptedPattern.exec(leaf) ?? [];
  const [body, nonce, mac] = [data, iv, tag].map((part) => Buffer.from(part, 'base64'));
  if (body === undefined || nonce === undefined || mac?.length !== tagLength) throw new Error('is no leaf');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(mac);
  return { type, plain: Buffer.concat([decipher.update(body), decipher.final()]) };
}

/** So that a MAC over all values is never one over the encrypted ones alone; the bytes are SOPS's own. */
const encryptedOnly = Buffer.from('8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69', 'hex');

type Value = string | number | boolean;

/** Encrypted leaves of a file with their values, and the MAC as it comes out. */
interface OpenedTree {
  readonly values: ReadonlyMap<string, Value>;
  /** Uppercase hex, as SOPS keeps it. */
  readonly mac: string;
}

/**
 * Opens every leaf of a file below `root` but the `sops` block, in the order in which they stand: the MAC is over them in
 * that order. Throws AlteredLeaf.
 */
export function openTree(root: Node, key: Uint8Array, macOnlyEncrypted: boolean): OpenedTree {
  const hash = createHash('sha512');
  if (macOnlyEncrypted) hash.update(encryptedOnly);
  const values = new Map<string, Value>();
  for (const { value, path } of leavesOf(root, [])) {
    if (!isEncrypted(value)) {
      if (!macOnlyEncrypted) hash.update(bytesOf(value));
      continue;
    }
    const { type, plain } = opened(key, value, path);
    // A comment that stands as an item of a list.
    if (type === 'comment') continue;
    hash.update(plain);
    values.set(value, valueOf(type, plain.toString('utf8'), path));
  }
  return { values, mac: hash.digest('hex').toUpperCase() };
}

function opened(key: Uint8Array, leaf: string, path: readonly string[]) {
  try {
    return openLeaf(key, leaf, `${path.join(':')}:`);
  } catch (cause) {
    throw new AlteredLeaf(path, { cause });
  }
}

/** True when the MAC that the file keeps opens under the time of its last change, and says the same. */
export function isMac(
  key: Uint8Array,
  kept: { readonly mac: string; readonly lastmodified: string },
  mac: string,
): boolean {
  try {
    const { plain } = openLeaf(key, kept.mac, kept.lastmodified);
    return plain.length === mac.length && timingSafeEqual(plain, Buffer.from(mac, 'utf8'));
  } catch {
    // Whoever altered the MAC is told what one is told who altered a value.
    return false;
  }
}

interface Leaf {
  readonly value: unknown;
  readonly path: readonly string[];
}

/** Items of a list have the path of the list. */
function* leavesOf(node: unknown, path: readonly string[]): Generator<Leaf> {
  if (isMap(node)) {
    for (const { key, value } of node.items satisfies Pair[]) {
      const name = String(isScalar(key) ? key.value : key);
      if (path.length === 0 && name === 'sops') continue;
      yield* leavesOf(value, [...path, name]);
    }
    return;
  }
  if (isSeq(node)) {
    for (const item of node.items) yield* leavesOf(item, path);
    return;
  }
  const value = isScalar(node) ? node.value : node;
  if (value !== null && value !== undefined) yield { value, path };
}

function valueOf(type: string, text: string, path: readonly string[]): Value {
  switch (type) {
    case 'str':
    case 'bytes':
    case 'time':
      return text;
    case 'int':
    case 'float':
      return Number(text);
    case 'bool':
      return text === 'True' || text === 'true';
    default:
      throw new AlteredLeaf(path);
  }
}

/** As SOPS, written in Go after a program in Python, feeds a plain value to the MAC. */
function bytesOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'number' ? inFull(value) : String(value);
}

/** Without an exponent, however long: JavaScript writes 1e21 and 1e-7. */
function inFull(value: number): string {
  const [, sign = '', first = '', more = '', power = ''] =
    /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(String(value)) ?? [];
  if (power === '') return String(value);
  const digits = first + more;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
