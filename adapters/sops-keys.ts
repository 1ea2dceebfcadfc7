import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { Blocked, Retry, messageOf } from '../core/errors.ts';
import type { SopsMetadata } from '../core/model/sops.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Keys that may open files, and where to allow one more. */
export interface SopsKeys {
  /** age identities, a line each; undefined where there are none. */
  readonly age: () => Promise<string | undefined>;
  /** `any`: on a person's machine, whose own rights decide. */
  readonly kms: readonly string[] | 'any';
  /** What to do when none of them opens a file, e.g. `add its key to sops.kmsKeys`. */
  readonly remedy: string;
  /** Default: as the environment says. */
  readonly client?: (region: string) => KMSClient;
}

type KmsRecipient = NonNullable<SopsMetadata['kms']>[number];
type AgeRecipient = NonNullable<SopsMetadata['age']>[number];
type Attempt = { readonly key: Uint8Array } | { readonly why: string };

/**
 * The data key of a file, from the first recipient whose key we have. Throws Retry when KMS was away, and Blocked, naming
 * the recipients and what each of them said, when none opens it.
 */
export async function dataKeyOf(
  subject: string,
  { age, kms }: Pick<SopsMetadata, 'age' | 'kms'>,
  keys: SopsKeys,
): Promise<Uint8Array> {
  const reasons: string[] = [];
  let away: Retry | undefined;
  for (const attempt of [...attemptsAtAge(age ?? [], keys), ...attemptsAtKms(kms ?? [], keys)]) {
    try {
      const tried = await attempt();
      if ('key' in tried) return tried.key;
      reasons.push(tried.why);
    } catch (error) {
      if (error instanceof Retry) away ??= error;
      else if (error instanceof Blocked) reasons.push(messageOf(error));
      else throw error;
    }
  }
  if (away !== undefined) throw away;
  const message = `no key that trueup may use opens it (${reasons.join('; ') || 'it has no recipients'}); ${keys.remedy}, or encrypt it for a key that is there`;
  throw new Blocked({ subject, message });
}

function attemptsAtAge(recipients: readonly AgeRecipient[], keys: SopsKeys): (() => Promise<Attempt>)[] {
  return recipients.map(({ recipient, enc }) => async () => {
    const identities = await keys.age();
    if (identities === undefined) return { why: `age ${recipient}: there are no age identities` };
    const key = await openedByAge(identities, enc);
    return key === undefined ? { why: `age ${recipient}: is for none of our age identities` } : { key };
  });
}

async function openedByAge(identities: string, enc: string): Promise<Uint8Array | undefined> {
  const { Decrypter, armor } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const line of identities.split(/\r?\n/)) {
    const identity = line.trim();
    if (identity === '' || identity.startsWith('#')) continue;
    try {
      decrypter.addIdentity(identity);
    } catch {
      // Its error quotes the identity.
      const message = 'holds a line that is no age identity; each must be a comment or AGE-SECRET-KEY-1…';
      throw new Blocked({ subject: 'age identities', message });
    }
  }
  try {
    return await decrypter.decrypt(armor.decode(enc.trim()));
  } catch {
    return undefined;
  }
}

function attemptsAtKms(recipients: readonly KmsRecipient[], keys: SopsKeys): (() => Promise<Attempt>)[] {
  return recipients.map(({ arn, enc, context }) => async () => {
    if (keys.kms !== 'any' && !keys.kms.includes(arn)) return { why: `KMS key ${arn}: is not allowed` };
    const region = arn.split(':')[3] ?? '';
    const client = keys.client?.(region) ?? new KMSClient({ ...awsClient, region });
    try {
      const { Plaintext } = await client.send(
        new DecryptCommand({
          KeyId: arn,
          CiphertextBlob: Buffer.from(enc, 'base64'),
          ...(context && { EncryptionContext: context }),
        }),
      );
      return Plaintext === undefined ? { why: `KMS key ${arn}: gave nothing` } : { key: Plaintext };
    } catch (error) {
      const fault = awsFault({ subject: `KMS key ${arn}`, permission: 'kms:Decrypt' }, error);
      if (fault instanceof Retry || fault instanceof Blocked) throw fault;
      return { why: `KMS key ${arn}: ${error instanceof Error ? error.name : 'does not open it'}` };
    } finally {
      client.destroy();
    }
  });
}
