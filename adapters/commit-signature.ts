import { createHash } from 'node:crypto';
import type { RepositoryConfig } from '../core/contract/config.ts';
import type { KeySource, VerifyConfig } from '../core/contract/verify.ts';
import type { Signature } from '../core/model/commit.ts';
import type { Secrets } from '../core/ports.ts';
import { parseSigners, verifySsh } from './ssh-signature.ts';
import { enforce, parsedBy, refused, textsOf } from './verify-policy.ts';

/** A commit object, of which only the text is asked. */
export interface SignedCommit {
  readonly repository: RepositoryConfig;
  rawCommit(sha: string): Promise<string>;
}

export interface SignatureDeps {
  readonly secrets: Secrets;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Looks whether a commit is signed by one of those who may. Undefined where nobody asked. Throws Stop for one that is
 * not, where the repository requires it; Blocked where the configured keys cannot be read.
 */
export async function checkSignature(
  commit: SignedCommit,
  sha: string,
  deps: SignatureDeps,
): Promise<Signature | undefined> {
  const { name, verify } = commit.repository;
  if (verify === undefined || verify.mode === 'off') return undefined;
  const signature = await judge(name, verify, await commit.rawCommit(sha), sha, deps);
  return enforce(signature, verify, {
    repository: name,
    sha,
    subject: `commit ${sha.slice(0, 7)} of repository ${name}`,
    advice: 'Sign it, or allow its signer under `verify` in the stack configuration',
  });
}

async function judge(
  name: string,
  verify: VerifyConfig,
  raw: string,
  sha: string,
  { secrets, now }: SignatureDeps,
): Promise<Signature> {
  const bytes = Buffer.from(raw);
  const id = createHash('sha1').update(`commit ${bytes.length}\0`).update(bytes).digest('hex');
  if (id !== sha) return refused('it is not UTF-8, and so its signature cannot be looked at');
  const { payload, signatures } = taken(raw);
  const [armored] = signatures;
  if (armored === undefined) return refused('it is not signed');
  if (signatures.length > 1) return refused('it has more than one signature');
  const keys = (list: readonly KeySource[] = []) => textsOf(list, secrets);
  if (armored.startsWith('-----BEGIN PGP SIGNATURE-----')) {
    // A library of half a megabyte, which most installations never need.
    const { parseGpgKeys, verifyGpg } = await import('./gpg-signature.ts');
    const texts = await keys(verify.gpgKeys);
    const parsed = await Promise.all(texts.map((text) => parsedBy(name, 'gpgKeys', text, parseGpgKeys)));
    return verifyGpg(Buffer.from(payload), armored, parsed.flat(), now);
  }
  if (armored.startsWith('-----BEGIN SSH SIGNATURE-----')) {
    const texts = await keys(verify.sshKeys);
    const parsed = await Promise.all(texts.map((text) => parsedBy(name, 'sshKeys', text, parseSigners)));
    return verifySsh(Buffer.from(payload), armored, parsed.flat(), now);
  }
  if (armored.startsWith('-----BEGIN SIGNED MESSAGE-----')) {
    const { gitsign } = verify;
    if (gitsign === undefined) return refused('it is signed by gitsign, and nobody on the list is');
    const { verifyGitsign } = await import('./gitsign-signature.ts');
    const { parseTrustedRoot } = await import('./sigstore-bundle.ts');
    const [text = ''] = await keys([gitsign.trustedRoot]);
    const trust = await parsedBy(name, 'gitsign.trustedRoot', text, parseTrustedRoot);
    return verifyGitsign(Buffer.from(payload), armored, trust, gitsign.identities);
  }
  return refused('its signature is neither OpenPGP, nor SSH, nor gitsign');
}

/** The commit as it was before it was signed, and what stands under `gpgsig` in its head. */
function taken(raw: string): { readonly payload: string; readonly signatures: readonly string[] } {
  const end = raw.indexOf('\n\n');
  const head = raw.slice(0, end);
  // A line that begins with a space goes on with the header before it.
  const headers = head.split(/\n(?! )/);
  const signatures = headers.filter((header) => header.startsWith('gpgsig '));
  const rest = headers.filter((header) => !header.startsWith('gpgsig '));
  return {
    payload: `${rest.join('\n')}${raw.slice(end)}`,
    signatures: signatures.map((header) => header.slice('gpgsig '.length).replaceAll('\n ', '\n')),
  };
}
