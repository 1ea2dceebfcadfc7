import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Stop } from '../core/errors.ts';

const algorithm = 'aes-256-gcm';
const ivLength = 12;
const tagLength = 16;

/** Base64 of iv, ciphertext and tag. The iv is random: a data key seals one snapshot, far below 2^32 values. */
export function sealValue(key: Uint8Array, plain: string): string {
  return encryptBytes(key, Buffer.from(plain, 'utf8'));
}

/** Throws Stop when the value was altered or sealed under another key. */
export function openValue(key: Uint8Array, sealed: string): string {
  try {
    return decryptBytes(key, sealed).toString('utf8');
  } catch (cause) {
    const message = 'does not decrypt: it was altered, or sealed under another key; render the commit again';
    throw new Stop({ subject: 'sealed value', message, cause });
  }
}

/** As `sealValue`, of any bytes, such as a key. */
export function encryptBytes(key: Uint8Array, plain: Uint8Array): string {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagLength });
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** Throws a plain error when it was altered or encrypted under another key: what to do about it, the caller knows. */
export function decryptBytes(key: Uint8Array, sealed: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  const iv = bytes.subarray(0, ivLength);
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength });
  decipher.setAuthTag(bytes.subarray(-tagLength));
  return Buffer.concat([decipher.update(bytes.subarray(ivLength, -tagLength)), decipher.final()]);
}
