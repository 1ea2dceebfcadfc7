import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { Stop } from '../core/errors.ts';
import type { Sealer, Secrets } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

const algorithm = 'aes-256-gcm';
const ivLength = 12;
const tagLength = 16;

/** Bound to every data key: a grant can be limited to it, and it shows in CloudTrail. */
const context = { 'trueup:purpose': 'snapshot' };

/** Data keys from KMS, AES-256-GCM here. The key of the digests is the text of a secret, which must not be rotated. */
export class KmsSealer implements Sealer {
  readonly #keyId: string;
  readonly #digestKeySecret: string;
  readonly #secrets: Secrets;
  readonly #client: KMSClient;

  constructor(
    options: { readonly keyId: string; readonly digestKeySecret: string; readonly secrets: Secrets },
    client: KMSClient = new KMSClient(awsClient),
  ) {
    this.#keyId = options.keyId;
    this.#digestKeySecret = options.digestKeySecret;
    this.#secrets = options.secrets;
    this.#client = client;
  }

  async digestKey(): Promise<Uint8Array> {
    const { current } = await this.#secrets.get(this.#digestKeySecret);
    return new TextEncoder().encode(current);
  }

  async newDataKey(): Promise<{ readonly wrapped: string; readonly key: Uint8Array }> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#keyId,
      KeySpec: 'AES_256',
      EncryptionContext: context,
    });
    const { CiphertextBlob, Plaintext } = await this.#client.send(command).catch((error: unknown) => {
      throw this.#fault('kms:GenerateDataKey', error);
    });
    if (CiphertextBlob === undefined || Plaintext === undefined) throw new Error('KMS gave no data key');
    return { wrapped: Buffer.from(CiphertextBlob).toString('base64'), key: Plaintext };
  }

  async unwrap(wrapped: string): Promise<Uint8Array> {
    const command = new DecryptCommand({
      KeyId: this.#keyId,
      CiphertextBlob: Buffer.from(wrapped, 'base64'),
      EncryptionContext: context,
    });
    const { Plaintext } = await this.#client.send(command).catch((error: unknown) => {
      throw this.#fault('kms:Decrypt', error);
    });
    if (Plaintext === undefined) throw new Error('KMS gave no plain data key');
    return Plaintext;
  }

  /** Base64 of iv, ciphertext and tag. The iv is random: a data key seals one snapshot, far below 2^32 values. */
  encrypt(key: Uint8Array, plain: string): string {
    const iv = randomBytes(ivLength);
    const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagLength });
    const sealed = [iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64');
  }

  /** Throws Stop when the value was altered or sealed under another key. */
  decrypt(key: Uint8Array, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivLength), {
        authTagLength: tagLength,
      });
      decipher.setAuthTag(bytes.subarray(-tagLength));
      const plain = [decipher.update(bytes.subarray(ivLength, -tagLength)), decipher.final()];
      return Buffer.concat(plain).toString('utf8');
    } catch (cause) {
      const message =
        'does not decrypt: it was altered, or sealed under another key; render the commit again';
      throw new Stop({ subject: 'sealed value', message, cause });
    }
  }

  #fault(permission: string, error: unknown): unknown {
    return awsFault({ subject: `KMS key ${this.#keyId}`, permission }, error);
  }
}
