import { sha256 } from '@noble/hashes/sha2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson, type Json } from './json.ts';

/** `sha256:` and 64 hex digits, of raw bytes. */
export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${bytesToHex(sha256(bytes))}`;
}

/** Digest of a JSON value in its canonical spelling. */
export function digestOf(value: Json): string {
  return digestOfBytes(utf8ToBytes(canonicalJson(value)));
}

/**
 * Keyed digest of a secret value (rule 9 of the design): equal values are seen to be equal,
 * and nobody without the key can guess one by hashing candidates.
 */
export function keyedDigest(key: Uint8Array, value: string): string {
  return `hmac:${bytesToHex(begun(key).clone().update(utf8ToBytes(value)).digest())}`;
}

type Hmac = ReturnType<typeof hmac.create>;

/** Keys are few, and each begins a digest with the same two blocks: half the work where values are short. */
const beginnings = new WeakMap<Uint8Array, Hmac>();

function begun(key: Uint8Array): Hmac {
  const known = beginnings.get(key) ?? hmac.create(sha256, key);
  beginnings.set(key, known);
  return known;
}
