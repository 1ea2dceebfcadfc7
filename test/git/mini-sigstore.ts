import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

// A certificate authority, a certificate log and a transparency log of a test, and a gitsign and a cosign that sign with
// them.

/** What is changed of a good signature. */
export interface GitsignOptions {
  readonly identity?: string;
  readonly issuer?: string;
  /** Seconds since the epoch: what the log says of the time. */
  readonly integratedTime?: number;
  /** The log's promise is about another signature. */
  readonly foreignEntry?: boolean;
  /** No entry of the log is brought along, as in gitsign's default mode. */
  readonly online?: boolean;
  readonly withoutSct?: boolean;
  /** The signature is another key's than the certificate's. */
  readonly foreignKey?: boolean;
  readonly twice?: boolean;
}

export interface MiniSigstore {
  /** Text of a trusted_root.json. */
  readonly trustedRoot: string;
  sign(payload: Buffer, options?: GitsignOptions): string;
  /** As cosign signs; `body` makes the entry of the log, by default that of a signature over the message itself. */
  signMessage(
    message: Buffer,
    options?: GitsignOptions,
    body?: (signature: Buffer) => LogBody,
  ): LoggedSignature;
}

export interface LogBody {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: object;
}

/** A signature, and what the transparency log says of it. */
export interface LoggedSignature {
  /** PEM. */
  readonly certificate: string;
  readonly signature: Buffer;
  /** Of the log's entry, in base64. */
  readonly body: string;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logId: Buffer;
  /** The log's promise to take it in. */
  readonly promise: Buffer;
  /** Of a log that has nothing else. */
  readonly proof: { readonly rootHash: Buffer; readonly checkpoint: string };
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const start = Date.parse('2026-11-23T12:00:00Z');
const validSeconds = 600;
const oid = {
  ecdsaSha256: '2a8648ce3d040302',
  commonName: '550403',
  keyUsage: '551d0f',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
  issuer: '2b0601040183bf300101',
  sct: '2b06010401d679020402',
  signedData: '2a864886f70d010702',
  data: '2a864886f70d010701',
  contentType: '2a864886f70d010903',
  messageDigest: '2a864886f70d010904',
  sha256: '608648016503040201',
  rekorEntry: '2b0601040183bf300301',
} as const;

export function newMiniSigstore(): MiniSigstore {
  const [authority, log, certificateLog] = [newPair(), newPair(), newPair()];
  const root = certificate({
    subject: 'root',
    pair: authority,
    signer: authority,
    extensions: caExtensions(),
  });
  const instance = ({ publicKey }: Pair) => ({
    baseUrl: 'https://log.example',
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spki(publicKey).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2026-01-01T00:00:00Z' },
    },
    logId: { keyId: sha256(spki(publicKey)).toString('base64') },
  });
  const trustedRoot = JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [instance(log)],
    certificateAuthorities: [
      {
        subject: { organization: 'example', commonName: 'root' },
        uri: 'https://ca.example',
        certChain: { certificates: [{ rawBytes: root.toString('base64') }] },
        validFor: { start: '2026-01-01T00:00:00Z' },
      },
    ],
    timestampAuthorities: [],
    ctlogs: [instance(certificateLog)],
  });
  return {
    trustedRoot,
    sign: (payload, options = {}) => gitsign(payload, options, { authority, log, certificateLog }),
    signMessage: (message, options = {}, body) =>
      signMessage(message, options, { authority, log, certificateLog, body }),
  };
}

interface Pairs extends Record<'authority' | 'log' | 'certificateLog', Pair> {}

/** A certificate for a new key, of minutes. */
function certified(options: GitsignOptions, { authority, certificateLog }: Pairs) {
  const { identity = 'ada@example.com', issuer = 'https://accounts.example.com' } = options;
  const pair = newPair();
  const own = [
    extension(oid.keyUsage, tlv(0x03, Buffer.from([7, 0x80])), true),
    extension(oid.subjectAltName, tlv(0x30, tlv(0x81, identity)), true),
    extension(oid.issuer, Buffer.from(issuer)),
  ];
  const about = { subject: undefined, pair, signer: authority };
  const sct = signedTimestamp(tbs({ ...about, extensions: own }), authority, certificateLog);
  const extensions = options.withoutSct === true ? own : [...own, extension(oid.sct, sct)];
  return { pair, leaf: certificate({ ...about, extensions }) };
}

function signMessage(
  message: Buffer,
  options: GitsignOptions,
  { body, ...pairs }: Pairs & { readonly body: ((signature: Buffer) => LogBody) | undefined },
): LoggedSignature {
  const { pair, leaf } = certified(options, pairs);
  const signer = options.foreignKey === true ? newPair() : pair;
  const signature = sign('sha256', message, signer.privateKey);
  const logged =
    options.foreignEntry === true ? sign('sha256', Buffer.from('x'), signer.privateKey) : signature;
  const { log } = pairs;
  const entry = body?.(logged) ?? hashedRekord(leaf, sha256(message), logged);
  const text = JSON.stringify(entry);
  const [integratedTime, logIndex] = [options.integratedTime ?? start / 1000 + 5, 0];
  const logId = sha256(spki(log.publicKey));
  const encoded = Buffer.from(text).toString('base64');
  const promised = JSON.stringify({ body: encoded, integratedTime, logID: logId.toString('hex'), logIndex });
  const rootHash = sha256(Buffer.concat([Buffer.from([0]), Buffer.from(text)]));
  const note = `log.example\n1\n${rootHash.toString('base64')}\n`;
  const noteSignature = Buffer.concat([
    logId.subarray(0, 4),
    sign('sha256', Buffer.from(note), log.privateKey),
  ]);
  return {
    certificate: pemOf(leaf),
    signature,
    body: encoded,
    integratedTime,
    logIndex,
    logId,
    promise: sign('sha256', Buffer.from(promised), log.privateKey),
    proof: { rootHash, checkpoint: `${note}\n\u2014 log.example ${noteSignature.toString('base64')}\n` },
  };
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

function hashedRekord(leaf: Buffer, digest: Buffer, signature: Buffer): LogBody {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: Buffer.from(pemOf(leaf)).toString('base64') },
      },
    },
  };
}

function gitsign(payload: Buffer, options: GitsignOptions, pairs: Pairs): string {
  const { pair, leaf } = certified(options, pairs);
  const { log } = pairs;
  const attribute = (id: string, value: Buffer) => tlv(0x30, objectId(id), tlv(0x31, value));
  const attributes = [
    attribute(oid.contentType, objectId(oid.data)),
    attribute(oid.messageDigest, tlv(0x04, sha256(payload))),
  ];
  const signer = options.foreignKey === true ? newPair() : pair;
  const signature = sign('sha256', tlv(0x31, ...attributes), signer.privateKey);
  const logged = options.foreignEntry === true ? sign('sha256', payload, signer.privateKey) : signature;
  const entry = logEntry(
    { leaf, digest: sha256(tlv(0x31, ...attributes)), signature: logged },
    options.integratedTime ?? start / 1000 + 5,
    log,
  );
  const unsigned = options.online === true ? [] : [tlv(0xa1, attribute(oid.rekorEntry, tlv(0x04, entry)))];
  const signerInfo = tlv(
    0x30,
    integer(1),
    tlv(0x30, name('root'), integer(serialOf(pair))),
    tlv(0x30, objectId(oid.sha256)),
    tlv(0xa0, ...attributes),
    tlv(0x30, objectId(oid.ecdsaSha256)),
    tlv(0x04, signature),
    ...unsigned,
  );
  const signedData = tlv(
    0x30,
    integer(1),
    tlv(0x31, tlv(0x30, objectId(oid.sha256))),
    tlv(0x30, objectId(oid.data)),
    tlv(0xa0, leaf),
    tlv(0x31, ...(options.twice === true ? [signerInfo, signerInfo] : [signerInfo])),
  );
  const lines = tlv(0x30, objectId(oid.signedData), tlv(0xa0, signedData))
    .toString('base64')
    .match(/.{1,64}/g);
  return ['-----BEGIN SIGNED MESSAGE-----', ...(lines ?? []), '-----END SIGNED MESSAGE-----'].join('\n');
}

/** The log's promise, as a protobuf message without the body. */
function logEntry(
  { leaf, digest, signature }: Record<'leaf' | 'digest' | 'signature', Buffer>,
  integratedTime: number,
  log: Pair,
): Buffer {
  const body = JSON.stringify(hashedRekord(leaf, digest, signature));
  const logId = sha256(spki(log.publicKey));
  const logIndex = 12345;
  const promise = JSON.stringify({
    body: Buffer.from(body).toString('base64'),
    integratedTime,
    logID: logId.toString('hex'),
    logIndex,
  });
  const set = sign('sha256', Buffer.from(promise), log.privateKey);
  return Buffer.concat([
    protoInteger(1, logIndex),
    proto(2, proto(1, logId)),
    proto(3, Buffer.concat([proto(1, Buffer.from('hashedrekord')), proto(2, Buffer.from('0.0.1'))])),
    protoInteger(4, integratedTime),
    proto(5, proto(1, set)),
  ]);
}

/** The list with one signed certificate timestamp (RFC 6962), in the two octet strings that its extension takes. */
function signedTimestamp(precertificate: Buffer, authority: Pair, log: Pair): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(start));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(precertificate.length);
  const entry = Buffer.concat([sha256(spki(authority.publicKey)), length.subarray(1), precertificate]);
  const signed = Buffer.concat([Buffer.from([0, 0]), time, Buffer.from([0, 1]), entry, Buffer.from([0, 0])]);
  const signature = sign('sha256', signed, log.privateKey);
  const parts = [Buffer.from([0]), sha256(spki(log.publicKey)), time, Buffer.from([0, 0, 4, 3])];
  const sct = Buffer.concat([...parts, sized(signature)]);
  return tlv(0x04, sized(sized(sct)));
}

interface CertificateParts {
  readonly subject: string | undefined;
  readonly pair: Pair;
  readonly signer: Pair;
  readonly extensions: readonly Buffer[];
}

function certificate(parts: CertificateParts): Buffer {
  const body = tbs(parts);
  const signature = sign('sha256', body, parts.signer.privateKey);
  return tlv(0x30, body, tlv(0x30, objectId(oid.ecdsaSha256)), tlv(0x03, Buffer.from([0]), signature));
}

function tbs({ subject, pair, extensions }: CertificateParts): Buffer {
  const [from, until] =
    subject === undefined ? [start, start + validSeconds * 1000] : [start - 1e10, start + 1e11];
  const validity = tlv(0x30, tlv(0x17, utcTime(from)), tlv(0x17, utcTime(until)));
  return tlv(
    0x30,
    tlv(0xa0, integer(2)),
    integer(serialOf(pair)),
    tlv(0x30, objectId(oid.ecdsaSha256)),
    name('root'),
    validity,
    name(subject),
    spki(pair.publicKey),
    tlv(0xa3, tlv(0x30, ...extensions)),
  );
}

function caExtensions(): readonly Buffer[] {
  return [
    extension(oid.basicConstraints, tlv(0x30, tlv(0x01, Buffer.from([0xff]))), true),
    extension(oid.keyUsage, tlv(0x03, Buffer.from([1, 0x06])), true),
  ];
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return tlv(0x30, objectId(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value));
}

function name(commonName: string | undefined): Buffer {
  if (commonName === undefined) return tlv(0x30);
  return tlv(0x30, tlv(0x31, tlv(0x30, objectId(oid.commonName), tlv(0x0c, commonName))));
}

function utcTime(time: number): string {
  return `${new Date(time)
    .toISOString()
    .slice(2)
    .replaceAll(/[-:T]|\.\d+Z/g, '')}Z`;
}

function newPair(): Pair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Positive, and the same for the same key. */
function serialOf({ publicKey }: Pair): Buffer {
  return Buffer.concat([Buffer.from([1]), sha256(spki(publicKey)).subarray(0, 15)]);
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function objectId(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function integer(value: number | Buffer): Buffer {
  return tlv(0x02, typeof value === 'number' ? Buffer.from([value]) : value);
}

function tlv(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = value;
  const sizes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...sizes]), value]);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function proto(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
}

function protoInteger(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
