import { createMessage, readKeys, readSignature, verify, type Key, type KeyID } from 'openpgp';
import type { Signature } from '../core/model/commit.ts';

const block = /-----BEGIN PGP PUBLIC KEY BLOCK-----[^]*?-----END PGP PUBLIC KEY BLOCK-----/g;

/** Public keys of a text with one armored block or several. Throws an Error where there are none. */
export async function parseGpgKeys(text: string): Promise<readonly Key[]> {
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0) throw new Error('holds no armored public key');
  return (await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys })))).flat();
}

/**
 * Verifies an armored OpenPGP signature over a payload. As for Git itself, the key must be valid now: one that expired
 * or was revoked is refused whenever the signature was made, since whoever has such a key can date it back.
 */
export async function verifyGpg(
  payload: Uint8Array,
  armoredSignature: string,
  keys: readonly Key[],
  now: number,
): Promise<Signature> {
  const date = new Date(now);
  const signature = await readSignature({ armoredSignature }).catch(() => undefined);
  const ids = signature?.getSigningKeyIDs() ?? [];
  const [id] = ids;
  if (signature === undefined || id === undefined) return refused('its OpenPGP signature cannot be read');
  if (ids.length > 1) return refused('it has several OpenPGP signatures, and one is looked at');
  const shown = id.toHex().toUpperCase();
  const key = keys.find((candidate) => candidate.getKeys(id).length > 0);
  if (key === undefined) return refused(`it is signed with OpenPGP key ${shown}, which is not on the list`);
  const invalid = await whyInvalid(key, id, date);
  if (invalid !== undefined) return refused(`it is signed with OpenPGP key ${shown}, which ${invalid}`);
  const message = await createMessage({ binary: payload });
  const { signatures } = await verify({ message, signature, verificationKeys: key, date, format: 'binary' });
  const verdict = await signatures[0]?.verified.then(
    () => 'good',
    () => 'bad',
  );
  if (verdict !== 'good')
    return refused(`its signature, with OpenPGP key ${shown}, does not fit this commit`);
  return {
    verdict: 'good',
    scheme: 'gpg',
    signer: `${await ownerOf(key)} (${key.getFingerprint().toUpperCase()})`,
  };
}

function refused(reason: string): Signature {
  return { verdict: 'refused', reason };
}

async function whyInvalid(key: Key, id: KeyID, date: Date): Promise<string | undefined> {
  try {
    await key.getSigningKey(id, date);
    return undefined;
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (/revoked/i.test(words)) return 'was revoked';
    return /expired/i.test(words) ? 'has expired' : 'may not sign';
  }
}

async function ownerOf(key: Key): Promise<string> {
  const { user } = await key.getPrimaryUser();
  return user.userID?.userID ?? 'no name';
}
