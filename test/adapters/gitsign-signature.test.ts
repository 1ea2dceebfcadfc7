import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSignature } from '../../adapters/commit-signature.ts';
import { verifyGitsign } from '../../adapters/gitsign-signature.ts';
import { parseTrustedRoot } from '../../adapters/sigstore-bundle.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked } from '../../core/errors.ts';
import { newMiniSigstore, type GitsignOptions } from '../git/mini-sigstore.ts';
import { signedCommit, unsignedCommit } from '../git/signed-commit.ts';

const sigstore = newMiniSigstore();
const stranger = newMiniSigstore();
const trust = parseTrustedRoot(sigstore.trustedRoot);
const ada = { issuer: 'https://accounts.example.com', identity: 'ada@example.com' };
const payload = Buffer.from(unsignedCommit());

test('good: a certified identity on the list, at a time that the log vouches for', () => {
  assert.deepEqual(verifyGitsign(payload, sigstore.sign(payload), trust, [ada]), {
    verdict: 'good',
    scheme: 'gitsign',
    signer: 'ada@example.com (https://accounts.example.com)',
  });
});

const bad: { what: string; options?: GitsignOptions; armored?: () => string; says: RegExp }[] = [
  {
    what: 'an identity that is not on the list',
    options: { identity: 'eve@example.com' },
    says: /it is signed by eve@example\.com \(https:\/\/accounts\.example\.com\), who is not on the list/,
  },
  {
    what: 'an identity that only begins like one on the list',
    options: { identity: 'ada@example.com.evil.example' },
    says: /who is not on the list/,
  },
  {
    what: 'the identity, vouched for by another issuer',
    options: { issuer: 'https://evil.example' },
    says: /it is signed by ada@example\.com \(https:\/\/evil\.example\), who is not on the list/,
  },
  {
    what: 'the signature of another commit',
    armored: () => sigstore.sign(Buffer.from(unsignedCommit('Evil\n'))),
    says: /does not fit this commit/,
  },
  {
    what: 'a certificate of an authority that is not trusted',
    armored: () => stranger.sign(payload),
    says: /with a certificate for email:ada@example\.com, is not trusted/,
  },
  {
    what: 'a certificate that had expired when the log saw it',
    options: { integratedTime: Date.parse('2026-11-23T12:10:01Z') / 1000 },
    says: /is not trusted/,
  },
  {
    what: 'a certificate that was not valid yet',
    options: { integratedTime: Date.parse('2026-11-23T11:59:59Z') / 1000 },
    says: /is not trusted/,
  },
  { what: 'a certificate that no log has seen', options: { withoutSct: true }, says: /is not trusted/ },
  {
    what: 'an entry of the log that is about another signature',
    options: { foreignEntry: true },
    says: /is not trusted \(inclusion promise could not be verified\)/,
  },
  {
    what: 'no entry of the log, as gitsign does unless told otherwise',
    options: { online: true },
    says: /brings no entry of the transparency log along; sign with gitsign\.rekorMode=offline/,
  },
  { what: 'the signature of another key', options: { foreignKey: true }, says: /is not trusted/ },
  { what: 'two signers', options: { twice: true }, says: /it has several gitsign signatures/ },
  {
    what: 'nonsense',
    armored: () => '-----BEGIN SIGNED MESSAGE-----\nMIIEAAAA\n-----END SIGNED MESSAGE-----',
    says: /its gitsign signature cannot be read/,
  },
];
for (const { what, options, armored, says } of bad) {
  test(`refused: ${what}`, () => {
    const verdict = verifyGitsign(payload, armored?.() ?? sigstore.sign(payload, options), trust, [ada]);
    assert.equal(verdict.verdict, 'refused');
    assert.match(verdict.reason, says);
  });
}

test('a signature with any byte changed is refused, or says the same', () => {
  const lines = sigstore.sign(payload).split('\n');
  const der = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  for (let at = 0; at < der.length; at += 1) {
    const changed = Buffer.from(der);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const armored = [lines[0], changed.toString('base64'), lines.at(-1)].join('\n');
    const verdict = verifyGitsign(payload, armored, trust, [ada]);
    // Not everything is signed: versions, unused names, the log's index inside its own proof.
    if (verdict.verdict === 'good')
      assert.equal(verdict.signer, 'ada@example.com (https://accounts.example.com)');
  }
});

async function checked(trustedRoot: string) {
  const commit = await signedCommit(async (bytes) => sigstore.sign(bytes));
  const verify = { mode: 'require', gitsign: { trustedRoot, identities: [ada] } };
  const repository = repositorySchema.parse({ name: 'fleet', url: 'https://git.example/fleet.git', verify });
  const secrets = { get: () => assert.fail('no secret is named') };
  return checkSignature({ repository, rawCommit: async () => commit.raw }, commit.sha, { secrets, now: 0 });
}

test('a repository that requires it follows a commit that has it', async () => {
  assert.equal((await checked(sigstore.trustedRoot))?.verdict, 'good');
});

test('a root that cannot be read blocks', async () => {
  for (const text of ['nonsense', '{}', '{"tlogs": []}']) {
    await assert.rejects(checked(text), (error: Error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, /verify\.gitsign\.trustedRoot of the stack configuration cannot be read/);
      return true;
    });
  }
});
