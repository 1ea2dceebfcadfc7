import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Blocked, Stop } from '../core/errors.ts';
import type { Sealer } from '../core/ports.ts';
import { fileFault, hasCode } from './file-fault.ts';
import { decryptBytes, encryptBytes, openValue, sealValue } from './value-cipher.ts';

const keyLength = 32;

/**
 * Envelope encryption under a key of 32 bytes in a file of the user's, made when it is first needed. What was sealed
 * can be opened only with that file: without it, render and apply again.
 */
export class KeyFileSealer implements Sealer {
  readonly #file: string;
  #key: Promise<Uint8Array> | undefined;
  readonly encrypt = sealValue;
  readonly decrypt = openValue;

  constructor(file: string) {
    this.#file = file;
  }

  async digestKey(): Promise<Uint8Array> {
    return this.#derived('digests');
  }

  async newDataKey(): Promise<{ readonly wrapped: string; readonly key: Uint8Array }> {
    const key = randomBytes(keyLength);
    return { key, wrapped: encryptBytes(await this.#derived('data keys'), key) };
  }

  async unwrap(wrapped: string): Promise<Uint8Array> {
    try {
      return decryptBytes(await this.#derived('data keys'), wrapped);
    } catch (cause) {
      if (cause instanceof Blocked || cause instanceof Stop) throw cause;
      const message =
        'does not open this snapshot: it was sealed with another key; bring that file back, or apply again with this one';
      throw new Stop({ subject: `sealing key ${this.#file}`, message, cause });
    }
  }

  /** Keys for different uses of the one in the file, so that none says anything about another. */
  async #derived(use: string): Promise<Uint8Array> {
    this.#key ??= readOrMake(this.#file);
    return new Uint8Array(hkdfSync('sha256', await this.#key, '', `trueup ${use}`, keyLength));
  }
}

async function readOrMake(file: string): Promise<Uint8Array> {
  const subject = `sealing key ${file}`;
  try {
    const key = (await read(file)) ?? (await make(file));
    if (key.length !== keyLength) {
      const message = `is ${key.length} bytes long and must be ${keyLength}; bring the right one back, or name another file with TRUEUP_SEALING_KEY_FILE`;
      throw new Stop({ subject, message });
    }
    // Windows knows no such bits.
    if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
      throw new Blocked({ subject, message: `can be read by others; run chmod 600 ${file}` });
    }
    return key;
  } catch (error) {
    throw fileFault(subject, error);
  }
}

async function read(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whole from the first moment, and never over one that another process made meanwhile. */
async function make(file: string): Promise<Uint8Array> {
  const key = randomBytes(keyLength);
  const own = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(own, key, { mode: 0o600, flag: 'wx', flush: true });
    await link(own, file);
    return key;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return await readFile(file);
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}
