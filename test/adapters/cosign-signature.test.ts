import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as z from 'zod';
import { checkCosign } from '../../adapters/cosign-signature.ts';
import { OciArtifacts } from '../../adapters/oci-artifacts.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import { ArtifactRegistry } from '../artifacts/artifact-registry.ts';
import { bundleByKey, bundleKeyless, signByKey, signKeyless } from '../artifacts/cosign.ts';
import { newMiniSigstore } from '../git/mini-sigstore.ts';

const secrets = {
  get: async (name: string) => ({ current: name === 'cosign/keys' ? pem(ada.publicKey) : 'nonsense' }),
};
const ecr = { basic: () => assert.fail('this is not ECR'), forget: () => assert.fail('this is not ECR') };
const git = new OciArtifacts({ secrets, ecr });
const [ada, eve] = [ecKey(), ecKey()];
const [sigstore, stranger] = [newMiniSigstore(), newMiniSigstore()];
const identities = [{ issuer: 'https://accounts.example.com', identity: 'ada@example.com' }];
const byKey = { keys: [pem(ada.publicKey)] };
const keyless = { keyless: { trustedRoot: sigstore.trustedRoot, identities } };

function ecKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

const files = { 'applications/web.yaml': 'kind: Application\n' };

type Sign = (registry: ArtifactRegistry, digest: string) => void;

/** What became of an artifact that was signed so. */
async function followed(sign: Sign, cosign: object = byKey, mode = 'require') {
  await using registry = await ArtifactRegistry.start();
  const digest = registry.pushFiles('main', files);
  sign(registry, digest);
  const verify = { mode, cosign };
  const config = repositorySchema.parse({ name: 'fleet', url: registry.url, tag: 'main', verify });
  const sha = (await git.head(config)) ?? '';
  await using worktree = await git.checkout(config, sha);
  assert.deepEqual(await worktree?.files('.'), ['applications/web.yaml']);
  return worktree?.commit.signature;
}

const someone = 'ada@example.com (https://accounts.example.com)';

describe('good', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const ed25519 = generateKeyPairSync('ed25519');
  for (const [name, pair] of Object.entries({ 'P-256': ada, 'P-384': p384, 'RSA 2048': rsa, ed25519 })) {
    test(`by a key on the list: ${name}`, async () => {
      const cosign = { keys: [pem(eve.publicKey), pem(pair.publicKey)] };
      const verdict = await followed(
        (registry, digest) => signByKey(registry, digest, pair.privateKey),
        cosign,
      );
      assert.ok(verdict?.verdict === 'good' && verdict.scheme === 'cosign');
      assert.match(verdict.signer, /^key SHA256:[\w+/]{43}$/);
    });
  }

  test('by a key of a secret', async () => {
    const sign: Sign = (registry, digest) => signByKey(registry, digest, ada.privateKey);
    assert.equal((await followed(sign, { keys: [{ secret: 'cosign/keys' }] }))?.verdict, 'good');
  });

  test('without a key, by an identity on the list', async () => {
    const verdict = await followed((registry, digest) => signKeyless(registry, digest, sigstore), keyless);
    assert.deepEqual(verdict, { verdict: 'good', scheme: 'cosign', signer: someone });
  });

  for (const by of ['api', 'tag'] as const) {
    test(`as a bundle that refers to the artifact, told by the ${by}`, async () => {
      const keyed: Sign = (registry, digest) => bundleByKey(registry, digest, ada.privateKey, { by });
      assert.equal((await followed(keyed))?.verdict, 'good');
      const certified: Sign = (registry, digest) => bundleKeyless(registry, digest, sigstore, { by });
      assert.deepEqual(await followed(certified, keyless), {
        verdict: 'good',
        scheme: 'cosign',
        signer: someone,
      });
    });
  }

  test('one of several is enough', async () => {
    const sign: Sign = (registry, digest) => {
      signByKey(registry, digest, eve.privateKey);
      bundleByKey(registry, digest, ada.privateKey);
    };
    assert.equal((await followed(sign))?.verdict, 'good');
  });
});

describe('refused', () => {
  const other = `sha256:${'a'.repeat(64)}`;
  const bad: { what: string; sign: Sign; cosign?: object; says: RegExp }[] = [
    {
      what: 'no signature',
      sign: () => undefined,
      says: /since it is not signed; nothing was changed\. Sign it with `cosign sign`/,
    },
    {
      what: 'the signature of another key',
      sign: (registry, digest) => signByKey(registry, digest, eve.privateKey),
      says: /its signature is by none of the keys on the list/,
    },
    {
      what: 'the signature of another digest',
      sign: (registry, digest) => signByKey(registry, digest, ada.privateKey, { digest: other }),
      says: /its signature is of another digest/,
    },
    {
      what: 'the signature of another repository',
      sign: (registry, digest) =>
        signByKey(registry, digest, ada.privateKey, { reference: 'ghcr.io/acme/dev' }),
      says: /it was signed for ghcr\.io\/acme\/dev, which is another repository/,
    },
    {
      what: 'a bundle about another digest',
      sign: (registry, digest) => bundleByKey(registry, digest, ada.privateKey, { digest: other }),
      says: /its signature is of another digest/,
    },
    {
      what: 'a bundle of another key',
      sign: (registry, digest) => bundleByKey(registry, digest, eve.privateKey),
      says: /by none of the keys on the list/,
    },
    {
      what: 'an attestation of the same signer, which says something else',
      sign: (registry, digest) =>
        bundleByKey(registry, digest, ada.privateKey, { predicateType: 'https://slsa.dev/provenance/v1' }),
      says: /it has an attestation \(https:\/\/slsa\.dev\/provenance\/v1\), which is no signature/,
    },
    {
      what: 'an identity that is not on the list',
      sign: (registry, digest) =>
        signKeyless(registry, digest, sigstore, { signer: { identity: 'eve@example.com' } }),
      cosign: keyless,
      says: /it is signed by eve@example\.com \(https:\/\/accounts\.example\.com\), who is not on the list/,
    },
    {
      what: 'the identity, vouched for by another issuer',
      sign: (registry, digest) =>
        bundleKeyless(registry, digest, sigstore, { signer: { issuer: 'https://evil.example' } }),
      cosign: keyless,
      says: /ada@example\.com \(https:\/\/evil\.example\), who is not on the list/,
    },
    {
      what: 'a certificate of an authority that is not trusted',
      sign: (registry, digest) => signKeyless(registry, digest, stranger),
      cosign: keyless,
      says: /its signature is not trusted \(/,
    },
    {
      what: 'a bundle of an authority that is not trusted',
      sign: (registry, digest) => bundleKeyless(registry, digest, stranger),
      cosign: keyless,
      says: /its signature is not trusted \(/,
    },
    {
      what: 'a certificate that had expired when the log saw it',
      sign: (registry, digest) =>
        signKeyless(registry, digest, sigstore, {
          signer: { integratedTime: Date.parse('2026-11-23T12:10:01Z') / 1000 },
        }),
      cosign: keyless,
      says: /its signature is not trusted \(/,
    },
    {
      what: 'an entry of the log that is about another signature',
      sign: (registry, digest) => signKeyless(registry, digest, sigstore, { signer: { foreignEntry: true } }),
      cosign: keyless,
      says: /its signature is not trusted \(signature mismatch\)/,
    },
    {
      what: 'a bundle with such an entry',
      sign: (registry, digest) =>
        bundleKeyless(registry, digest, sigstore, { signer: { foreignEntry: true } }),
      cosign: keyless,
      says: /its signature is not trusted \(tlog entry signature mismatch\)/,
    },
    {
      what: 'the signature of another key than the certificate',
      sign: (registry, digest) => signKeyless(registry, digest, sigstore, { signer: { foreignKey: true } }),
      cosign: keyless,
      says: /its signature is not trusted \(signature verification failed\)/,
    },
    {
      what: 'a certificate that no log has seen',
      sign: (registry, digest) => signKeyless(registry, digest, sigstore, { signer: { withoutSct: true } }),
      cosign: keyless,
      says: /its signature is not trusted \(/,
    },
    {
      what: 'a key where an identity is asked for',
      sign: (registry, digest) => signByKey(registry, digest, ada.privateKey),
      cosign: keyless,
      says: /brings no certificate and no entry of the transparency log along/,
    },
    {
      what: 'an identity where a key is asked for',
      sign: (registry, digest) => signKeyless(registry, digest, sigstore),
      says: /by none of the keys on the list/,
    },
  ];
  for (const { what, sign, cosign, says } of bad) {
    test(what, async () => {
      const error = await followed(sign, cosign).then(
        () => assert.fail('it was taken'),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof Stop, String(error));
      assert.match(error.message, /^artifact [0-9a-f]{7} of repository fleet: is not followed, since /);
      assert.match(error.message, says);
    });
  }
});

test('where it is only to be warned of, it is followed, and its commit says why', async () => {
  const verdict = await followed(() => undefined, byKey, 'warn');
  assert.deepEqual(verdict, { verdict: 'refused', reason: 'it is not signed' });
});

test('where it is off, nothing is looked at', async () => {
  assert.equal(await followed(() => undefined, byKey, 'off'), undefined);
});

test('a key or root that cannot be read blocks, whoever signed', async () => {
  const sign: Sign = (registry, digest) => signByKey(registry, digest, ada.privateKey);
  const texts = [
    [
      { keys: ['nonsense'] },
      /verify\.cosign\.keys of the stack configuration cannot be read \(it holds no PUBLIC KEY/,
    ],
    [{ keys: [{ secret: 'other' }] }, /verify\.cosign\.keys .* mend it there or in its secret/],
    [{ keyless: { trustedRoot: '{}', identities } }, /verify\.cosign\.keyless\.trustedRoot/],
  ] as const;
  for (const [cosign, says] of texts) {
    await assert.rejects(followed(sign, cosign), (error: Error) => {
      assert.ok(error instanceof Blocked);
      assert.match(error.message, says);
      return true;
    });
  }
});

describe('what cosign itself left in a registry', () => {
  const annotations = z.record(z.string(), z.string()).exactOptional();
  const layer = z.object({ mediaType: z.string(), size: z.number(), digest: z.string(), annotations });
  const left = z.object({
    digest: z.string(),
    referrers: z.array(z.string()),
    manifests: z.record(z.string(), z.object({ config: layer, layers: z.array(layer) })),
    blobs: z.record(z.string(), z.string()),
  });
  /** `by` says with which version, and how. */
  const fixture = z.object({
    by: z.string(),
    key: z.string(),
    repository: z.string(),
    bundle: left,
    tag: left,
  });
  const file = join(import.meta.dirname, '../fixtures/cosign/signed.json');

  for (const form of ['bundle', 'tag'] as const) {
    test(`is a good signature of its artifact alone: ${form}`, async () => {
      const { key, repository, [form]: signed } = fixture.parse(JSON.parse(await readFile(file, 'utf8')));
      const { digest, referrers, manifests, blobs } = signed;
      const registry = {
        find: async (reference: string) => {
          // Of whatever artifact is asked about.
          const [place, manifest] = Object.entries(manifests)[0] ?? [];
          const isThere = place === reference || (form === 'tag' && reference.endsWith('.sig'));
          return manifest && isThere ? { ...manifest, digest: reference } : undefined;
        },
        blob: async (one: { readonly digest: string }) => Buffer.from(blobs[one.digest] ?? ''),
        referrers: async () => referrers,
      };
      const verify = { mode: 'require', cosign: { keys: [key] } };
      const config = repositorySchema.parse({
        name: 'fleet',
        url: `oci://${repository}`,
        tag: 'main',
        verify,
      });
      const check = (of: string) =>
        checkCosign({ repository: config, digest: of, subject: 'artifact' }, registry, secrets);
      const verdict = await check(digest);
      assert.ok(verdict?.verdict === 'good');
      await assert.rejects(check(`sha256:${'0'.repeat(64)}`), /its signature is of another digest/);
    });
  }
});
