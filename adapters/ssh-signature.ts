import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Signature } from '../core/model/commit.ts';

/** One who may sign, as a line of an allowed signers file says it (ssh-keygen(1), ALLOWED SIGNERS). */
export interface SshSigner {
  readonly principals: string;
  /** The public key as SSH sends it, base64. */
  readonly key: string;
  readonly options: Readonly<Record<string, string>>;
}

const namespace = 'git';
const magic = 'SSHSIG';
const smallestRsaBits = 2048;
const curves: Readonly<
  Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>
> = {
  nistp256: { crv: 'P-256', bytes: 32, hash: 'sha256' },
  nistp384: { crv: 'P-384', bytes: 48, hash: 'sha384' },
  nistp521: { crv: 'P-521', bytes: 66, hash: 'sha512' },
};

/** Lines of an allowed signers file. Throws an Error that names the line which cannot be read, or asks for more than we can. */
export function parseSigners(text: string): readonly SshSigner[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseSigner);
}

function parseSigner(line: string): SshSigner {
  // Options stand between the principals and the key, without a space but in quotes.
  const words = line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  const at = words.findIndex((word, index) => index > 0 && /^(?:sk-)?(?:ssh|ecdsa)-/.test(word));
  const [principals = '', key = ''] = [words[0], words[at + 1]];
  if (at < 1 || !/^[A-Za-z0-9+/]+=*$/.test(key))
    throw new Error(`"${line.slice(0, 60)}" is no line of an allowed signers file`);
  const options = words.slice(1, at).flatMap((word) => word.match(/(?:[^,"]|"[^"]*")+/g) ?? []);
  const known: Record<string, string> = {};
  for (const option of options) {
    const [, name = '', value = ''] = /^([a-z-]+)(?:="?([^"]*)"?)?$/i.exec(option) ?? [];
    if (!['namespaces', 'valid-after', 'valid-before'].includes(name.toLowerCase())) {
      throw new Error(`option ${option.slice(0, 40)} of signer ${principals} is not known here`);
    }
    known[name.toLowerCase()] = value;
  }
  return { principals: principals.replaceAll('"', ''), key, options: known };
}

/** Verifies an armored SSH signature over a payload; `now` in milliseconds decides which keys are valid. */
export function verifySsh(
  payload: Uint8Array,
  armored: string,
  signers: readonly SshSigner[],
  now: number,
): Signature {
  try {
    return judge(payload, armored, signers, now);
  } catch (error) {
    // Whatever cannot be read is nobody's signature.
    if (!(error instanceof RangeError || error instanceof Unreadable)) throw error;
    return refused('its SSH signature cannot be read');
  }
}

class Unreadable extends Error {}

function judge(payload: Uint8Array, armored: string, signers: readonly SshSigner[], now: number): Signature {
  const [, body = ''] = /-----BEGIN SSH SIGNATURE-----([^-]*)-----END SSH SIGNATURE-----/.exec(armored) ?? [];
  const read = new Reader(Buffer.from(body, 'base64'));
  if (read.bytes(magic.length).toString('latin1') !== magic || read.uint32() !== 1) throw new Unreadable();
  const publicKey = read.string();
  const space = read.string().toString();
  const reserved = read.string();
  const hash = read.string().toString();
  const signature = read.string();
  if (space !== namespace)
    return refused(`its signature is for "${space.slice(0, 40)}" and not for ${namespace}`);
  if (hash !== 'sha256' && hash !== 'sha512')
    return refused(`its signature uses the hash ${hash.slice(0, 20)}`);

  const shown = `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
  const known = signers.filter(({ key }) => Buffer.from(key, 'base64').equals(publicKey));
  if (known.length === 0) return refused(`it is signed with SSH key ${shown}, which is not on the list`);
  const reasons = known.map((signer) => whyInvalid(signer, now));
  const valid = known.find((_, index) => reasons[index] === undefined);
  if (valid === undefined) return refused(`it is signed with SSH key ${shown}, which ${reasons[0]}`);

  const digest = createHash(hash).update(payload).digest();
  const parts = [wire(namespace), wire(reserved), wire(hash), wire(digest)];
  const message = Buffer.concat([Buffer.from(magic), ...parts]);
  if (!isSignedBy(publicKey, message, signature)) {
    return refused(`its signature, with SSH key ${shown}, does not fit this commit`);
  }
  return { verdict: 'good', scheme: 'ssh', signer: `${valid.principals} (${shown})` };
}

function refused(reason: string): Signature {
  return { verdict: 'refused', reason };
}

function whyInvalid({ options }: SshSigner, now: number): string | undefined {
  const { namespaces, 'valid-after': after, 'valid-before': before } = options;
  if (namespaces !== undefined && !namespaces.split(',').includes(namespace))
    return `may not sign for ${namespace}`;
  if (after !== undefined && !(now >= timeOf(after))) return `is valid from ${after} on`;
  return before !== undefined && !(now < timeOf(before)) ? `was valid until ${before}` : undefined;
}

/** `YYYYMMDD[HHMM[SS]]`, which is UTC with a Z behind it and, on a function of ours, without. NaN allows nothing. */
function timeOf(text: string): number {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z?$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function isSignedBy(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  const key = new Reader(publicKey);
  const read = new Reader(signature);
  const [keyType, algorithm, blob] = [key.string().toString(), read.string().toString(), read.string()];
  const isSecurityKey = keyType.startsWith('sk-');
  switch (keyType.replace(/^sk-|@openssh\.com$/g, '')) {
    case 'ssh-ed25519': {
      if (algorithm !== keyType) return false;
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.string().toString('base64url') };
      const data = isSecurityKey ? touched(key, read, message) : message;
      return data !== undefined && verify(null, data, publicKeyOf(jwk), blob);
    }
    case 'ssh-rsa': {
      const [, bits] = /^rsa-sha2-(256|512)$/.exec(algorithm) ?? [];
      const [e, n] = [key.string(), key.string()];
      const rsa = publicKeyOf({
        kty: 'RSA',
        e: e.toString('base64url'),
        n: unsigned(n).toString('base64url'),
      });
      const size = rsa.asymmetricKeyDetails?.modulusLength ?? 0;
      return bits !== undefined && size >= smallestRsaBits && verify(`sha${bits}`, message, rsa, blob);
    }
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521': {
      const curve = curves[key.string().toString()];
      const point = key.string();
      if (algorithm !== keyType || curve === undefined || point.length !== 1 + 2 * curve.bytes) return false;
      const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
      const jwk = { kty: 'EC', crv: curve.crv, x: x.toString('base64url'), y: y.toString('base64url') };
      const numbers = new Reader(blob);
      const pair = [numbers.string(), numbers.string()].map((number) =>
        padded(unsigned(number), curve.bytes),
      );
      const data = isSecurityKey ? touched(key, read, message) : message;
      if (data === undefined) return false;
      return verify(
        curve.hash,
        data,
        { key: publicKeyOf(jwk), dsaEncoding: 'ieee-p1363' },
        Buffer.concat(pair),
      );
    }
    default:
      return false;
  }
}

/** What a hardware key signed: it must say that it was touched. */
function touched(key: Reader, signature: Reader, message: Buffer): Buffer | undefined {
  const application = key.string();
  const flags = signature.bytes(1);
  const counter = signature.bytes(4);
  if (((flags[0] ?? 0) & 1) === 0) return undefined;
  const sha256 = (data: Buffer) => createHash('sha256').update(data).digest();
  return Buffer.concat([sha256(application), flags, counter, sha256(message)]);
}

function publicKeyOf(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new Unreadable();
  }
}

/** Without the zero byte that keeps a number from looking negative. */
function unsigned(number: Buffer): Buffer {
  return number[0] === 0 ? number.subarray(1) : number;
}

function padded(number: Buffer, bytes: number): Buffer {
  if (number.length > bytes) throw new Unreadable();
  return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
}

function wire(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** SSH's own encoding (RFC 4251, section 5). Throws RangeError or Unreadable past the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Unreadable();
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }
}
