import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createMessage, sign, type PrivateKey } from 'openpgp';
import ssh2 from 'ssh2';
import { git } from './git-command.ts';

/** A commit object as Git keeps it, and its SHA. */
export interface RawCommit {
  readonly raw: string;
  readonly sha: string;
}

/** Makes the armored signature over a commit. */
export type Signer = (payload: Buffer) => Promise<string>;

/** A commit of no tree in particular, with as many parents as wanted; two make a merge. */
export function unsignedCommit(message = 'Change\n', parents = 1): string {
  const person = 'Ada Park <ada@example.com> 1795422254 +0000';
  const lines = [
    `tree ${'a'.repeat(40)}`,
    ...Array.from({ length: parents }, (_, index) => `parent ${String(index + 1).repeat(40)}`),
    `author ${person}`,
    `committer ${person}`,
  ];
  return `${lines.join('\n')}\n\n${message}`;
}

export function commitOf(raw: string): RawCommit {
  const bytes = Buffer.from(raw);
  return { raw, sha: createHash('sha1').update(`commit ${bytes.length}\0`).update(bytes).digest('hex') };
}

/** Puts a signature where Git has it: the last header, each further line behind a space. */
export function withSignature(unsigned: string, armored: string): RawCommit {
  const header = `\ngpgsig ${armored.trim().replaceAll('\r', '').replaceAll('\n', '\n ')}`;
  const end = unsigned.indexOf('\n\n');
  return commitOf(`${unsigned.slice(0, end)}${header}${unsigned.slice(end)}`);
}

export async function signedCommit(signer: Signer, unsigned = unsignedCommit()): Promise<RawCommit> {
  return withSignature(unsigned, await signer(Buffer.from(unsigned)));
}

export function gpgSigner(signingKeys: PrivateKey, date?: Date): Signer {
  return async (payload) => {
    const message = await createMessage({ binary: new Uint8Array(payload) });
    const dated = date === undefined ? {} : { date };
    return sign({ message, signingKeys, detached: true, ...dated });
  };
}

/** As `ssh-keygen -Y sign` does, with a key from `newSshKey`. */
export function sshSigner(privateKey: string, namespace = 'git', hash = 'sha512'): Signer {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  return async (payload) => {
    const digest = createHash(hash).update(payload).digest();
    const about = [wire(namespace), wire(''), wire(hash)];
    const message = Buffer.concat([Buffer.from('SSHSIG'), ...about, wire(digest)]);
    const signature = Buffer.concat([wire(key.type), wire(key.sign(message))]);
    const version = Buffer.from([0, 0, 0, 1]);
    const parts = [Buffer.from('SSHSIG'), version, wire(key.getPublicSSH()), ...about, wire(signature)];
    const lines =
      Buffer.concat(parts)
        .toString('base64')
        .match(/.{1,70}/g) ?? [];
    return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----'].join('\n');
  };
}

function wire(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Signs the commit that is checked out in a person's clone, and gives its new SHA. */
export async function signHead(clone: string, signer: Signer): Promise<string> {
  const unsigned = `${await git(clone, ['cat-file', 'commit', 'HEAD'])}\n`;
  const { raw } = await signedCommit(signer, unsigned);
  const file = join(clone, '.git', 'signed-commit');
  await writeFile(file, raw);
  const sha = await git(clone, ['hash-object', '-t', 'commit', '-w', file]);
  await git(clone, ['reset', '--quiet', '--hard', sha]);
  return sha;
}
