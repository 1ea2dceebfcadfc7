import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { generateKey, revokeKey } from 'openpgp';
import { checkSignature } from '../../adapters/commit-signature.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import type { Signature } from '../../core/model/commit.ts';
import {
  commitOf,
  gpgSigner,
  signedCommit,
  sshSigner,
  unsignedCommit,
  withSignature,
  type RawCommit,
} from '../git/signed-commit.ts';
import { newSshKey } from '../git/ssh-server.ts';

const now = Date.parse('2026-12-01T12:00:00Z');
const fixtures = join(import.meta.dirname, '../fixtures/signed-commits');
const fixture = (name: string) => readFile(join(fixtures, name), 'utf8');

async function checked(
  { raw, sha }: RawCommit,
  verify: object,
  secrets: Readonly<Record<string, string>> = {},
): Promise<Signature | undefined> {
  const repository = repositorySchema.parse({ name: 'fleet', url: 'https://git.example/fleet.git', verify });
  const commit = { repository, rawCommit: async () => raw };
  const get = async (name: string) => ({ current: secrets[name] ?? assert.fail(name) });
  return checkSignature(commit, sha, { secrets: { get }, now });
}

async function reasonOf(commit: RawCommit, keys: object): Promise<string> {
  const verdict = await checked(commit, { mode: 'warn', ...keys });
  assert.equal(verdict?.verdict, 'refused');
  return verdict.reason;
}

const person = { name: 'Ada Park', email: 'ada@example.com' };
const start = new Date('2026-11-01T00:00:00Z');
async function newGpgKey(change: { keyExpirationTime?: number; subkeys?: { sign: true }[] } = {}) {
  const made = await generateKey({ userIDs: [person], date: start, format: 'object', ...change });
  return { ...made, armored: made.publicKey.armor() };
}
const ada = await newGpgKey();
const ben = await newGpgKey();
const subkeyed = await newGpgKey({ subkeys: [{ sign: true }] });
const adaSsh = newSshKey();
const lineOf = (key: { public: string }, options = '') => `ada@example.com ${options} ${key.public}`;
const ours = { gpgKeys: [ada.armored], sshKeys: [lineOf(adaSsh)] };

test('commits that git signed with gpg and ssh-keygen are good', async () => {
  const keys = { gpgKeys: [await fixture('ada.asc')], sshKeys: [await fixture('allowed_signers')] };
  const files = (await readdir(fixtures)).filter((name) => name.endsWith('.txt'));
  assert.equal(files.length, 4);
  for (const file of files) {
    const verdict = await checked(commitOf(await fixture(file)), { mode: 'require', ...keys });
    assert.equal(verdict?.verdict, 'good', file);
    assert.equal(verdict.scheme, file.startsWith('gpg') ? 'gpg' : 'ssh');
    assert.match(
      verdict.signer,
      /^(Ada Park <ada@example\.com> \([0-9A-F]{40}\)|ada@example\.com \(SHA256:.+\))$/,
    );
  }
});

test('each of those is refused with a byte changed, whoever may sign', async () => {
  const keys = { gpgKeys: [await fixture('ada.asc')], sshKeys: [await fixture('allowed_signers')] };
  for (const file of (await readdir(fixtures)).filter((name) => name.endsWith('.txt'))) {
    const changed = commitOf((await fixture(file)).replace('Signed by', 'Signed_by'));
    assert.match(await reasonOf(changed, keys), /its signature, with .*, does not fit this commit/);
  }
});

const good: { what: string; commit: () => Promise<RawCommit>; keys?: object }[] = [
  { what: 'OpenPGP', commit: () => signedCommit(gpgSigner(ada.privateKey)) },
  { what: 'SSH', commit: () => signedCommit(sshSigner(adaSsh.private)) },
  { what: 'SSH with SHA-256', commit: () => signedCommit(sshSigner(adaSsh.private, 'git', 'sha256')) },
  { what: 'a merge', commit: () => signedCommit(gpgSigner(ada.privateKey), unsignedCommit('Merge\n', 2)) },
  {
    what: 'a message that speaks of signatures',
    commit: () =>
      signedCommit(gpgSigner(ada.privateKey), unsignedCommit('Sign\n\ngpgsig -----BEGIN\n more\n')),
  },
  {
    what: 'a signing subkey',
    commit: () => signedCommit(gpgSigner(subkeyed.privateKey)),
    keys: { gpgKeys: [ada.armored, subkeyed.armored] },
  },
  {
    what: 'an SSH key that is valid now',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: {
      sshKeys: [lineOf(adaSsh, 'namespaces="file,git",valid-after="20261101",valid-before="202612011201Z"')],
    },
  },
  {
    what: 'an SSH key of which another line has expired',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: { sshKeys: [`# ours\n${lineOf(adaSsh, 'valid-before="20261101"')}\n\n${lineOf(adaSsh)}`] },
  },
];
for (const { what, commit, keys = ours } of good) {
  test(`good: ${what}`, async () => {
    const verdict = await checked(await commit(), { mode: 'require', ...keys });
    assert.equal(verdict?.verdict, 'good');
  });
}

/** A key that was valid when it signed, as everybody has it now. */
async function expiredKey() {
  const key = await newGpgKey({ keyExpirationTime: 7 * 86_400 });
  return { signer: gpgSigner(key.privateKey, new Date('2026-11-02T00:00:00Z')), armored: key.armored };
}

async function revokedKey() {
  const { privateKey } = await newGpgKey();
  const revoked = await revokeKey({
    key: privateKey,
    date: new Date('2026-11-20T00:00:00Z'),
    format: 'object',
  });
  return {
    signer: gpgSigner(privateKey, new Date('2026-11-02T00:00:00Z')),
    armored: revoked.publicKey.armor(),
  };
}

const bad: { what: string; commit: () => Promise<RawCommit>; keys?: object; says: RegExp }[] = [
  { what: 'no signature', commit: async () => commitOf(unsignedCommit()), says: /^it is not signed$/ },
  {
    what: 'an unsigned merge',
    commit: async () => commitOf(unsignedCommit('Merge\n', 2)),
    says: /^it is not signed$/,
  },
  {
    what: 'an OpenPGP key that is not on the list',
    commit: () => signedCommit(gpgSigner(ben.privateKey)),
    says: /^it is signed with OpenPGP key [0-9A-F]{16}, which is not on the list$/,
  },
  {
    what: 'an SSH key that is not on the list',
    commit: () => signedCommit(sshSigner(newSshKey().private)),
    says: /^it is signed with SSH key SHA256:.{43}, which is not on the list$/,
  },
  {
    what: 'an OpenPGP signature where only SSH keys are listed',
    commit: () => signedCommit(gpgSigner(ada.privateKey)),
    keys: { sshKeys: [lineOf(adaSsh)] },
    says: /which is not on the list/,
  },
  {
    what: 'the OpenPGP signature of another commit',
    commit: async () =>
      withSignature(unsignedCommit('Evil\n'), await gpgSigner(ada.privateKey)(Buffer.from(unsignedCommit()))),
    says: /its signature, with OpenPGP key .*, does not fit this commit/,
  },
  {
    what: 'the SSH signature of another commit',
    commit: async () =>
      withSignature(unsignedCommit('Evil\n'), await sshSigner(adaSsh.private)(Buffer.from(unsignedCommit()))),
    says: /its signature, with SSH key SHA256:.*, does not fit this commit/,
  },
  {
    what: 'an SSH signature for something else than Git',
    commit: () => signedCommit(sshSigner(adaSsh.private, 'file')),
    says: /its signature is for "file" and not for git/,
  },
  {
    what: 'an SSH key that may not sign for Git',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: { sshKeys: [lineOf(adaSsh, 'namespaces="file"')] },
    says: /which may not sign for git/,
  },
  {
    what: 'an SSH key that has expired',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: { sshKeys: [lineOf(adaSsh, 'valid-before="20261130"')] },
    says: /which was valid until 20261130/,
  },
  {
    what: 'an SSH key that is not valid yet',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: { sshKeys: [lineOf(adaSsh, 'valid-after="20261202"')] },
    says: /which is valid from 20261202 on/,
  },
  {
    what: 'an SSH key whose time nobody can read',
    commit: () => signedCommit(sshSigner(adaSsh.private)),
    keys: { sshKeys: [lineOf(adaSsh, 'valid-before="tomorrow"')] },
    says: /which was valid until tomorrow/,
  },
  {
    what: 'two signatures',
    commit: async () => {
      const signature = await gpgSigner(ada.privateKey)(Buffer.from(unsignedCommit()));
      return withSignature(withSignature(unsignedCommit(), signature).raw, signature);
    },
    says: /it has more than one signature/,
  },
  {
    what: 'a signature that is none',
    commit: async () =>
      withSignature(
        unsignedCommit(),
        '-----BEGIN PGP SIGNATURE-----\n\nnonsense\n-----END PGP SIGNATURE-----',
      ),
    says: /its OpenPGP signature cannot be read/,
  },
  {
    what: 'an SSH signature that ends too early',
    commit: async () =>
      withSignature(
        unsignedCommit(),
        `-----BEGIN SSH SIGNATURE-----\n${Buffer.from('SSHSIG\0\0\0\x01\0\0\0\x33abc').toString('base64')}\n-----END SSH SIGNATURE-----`,
      ),
    says: /its SSH signature cannot be read/,
  },
  {
    what: 'a kind of signature that is not known',
    commit: async () =>
      withSignature(unsignedCommit(), '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----'),
    says: /its signature is neither OpenPGP, nor SSH, nor gitsign/,
  },
  {
    what: 'gitsign where it is not allowed',
    commit: async () =>
      withSignature(unsignedCommit(), '-----BEGIN SIGNED MESSAGE-----\nMIIE\n-----END SIGNED MESSAGE-----'),
    says: /it is signed by gitsign, and nobody on the list is/,
  },
  {
    what: 'a commit that is not UTF-8',
    commit: async () => ({ ...commitOf(unsignedCommit('\ufffd\n')), sha: 'f'.repeat(40) }),
    says: /it is not UTF-8/,
  },
];
for (const { what, commit, keys = ours, says } of bad) {
  test(`refused: ${what}`, async () => {
    const made = await commit();
    assert.match(await reasonOf(made, keys), says);
    await assert.rejects(checked(made, { mode: 'require', ...keys }), (error: Error) => {
      assert.ok(error instanceof Stop);
      assert.match(error.message, /^commit [0-9a-f]{7} of repository fleet: is not followed, since it/);
      assert.match(error.message, /nothing was changed\. Sign it, or allow its signer/);
      return true;
    });
  });
}

for (const [what, made, says] of [
  ['has expired', await expiredKey(), /which has expired/],
  ['was revoked', await revokedKey(), /which was revoked/],
] as const) {
  test(`refused: an OpenPGP key that ${what} since it signed`, async () => {
    const commit = await signedCommit(made.signer);
    assert.match(await reasonOf(commit, { gpgKeys: [made.armored] }), says);
  });
}

test('off and absent look at nothing', async () => {
  assert.equal(await checked(commitOf(unsignedCommit()), { mode: 'off' }), undefined);
});

test('keys come from secrets too', async () => {
  const commit = await signedCommit(gpgSigner(ada.privateKey));
  const verify = { mode: 'require', gpgKeys: [{ secret: 'git/keys' }] };
  const verdict = await checked(commit, verify, { 'git/keys': `${ben.armored}\n${ada.armored}` });
  assert.equal(verdict?.verdict, 'good');
});

const unreadable: [string, object][] = [
  ['gpgKeys', { gpgKeys: ['no key'] }],
  ['sshKeys', { sshKeys: ['ada@example.com nonsense'] }],
  ['sshKeys', { sshKeys: [lineOf(adaSsh, 'cert-authority')] }],
];
for (const [field, keys] of unreadable) {
  test(`${field} that cannot be read: ${JSON.stringify(keys).slice(0, 60)}`, async () => {
    const sign = field === 'gpgKeys' ? gpgSigner(ada.privateKey) : sshSigner(adaSsh.private);
    await assert.rejects(checked(await signedCommit(sign), { mode: 'require', ...keys }), (error: Error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, new RegExp(`verify\\.${field} of the stack configuration cannot be read`));
      return true;
    });
  });
}
