import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { Sealer, SealingPurpose, Secrets } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';
import { openValue, sealValue } from './value-cipher.ts';

/** Bound to every data key: a grant can be limited to it, and it shows in CloudTrail. */
function contextOf(purpose: SealingPurpose = 'snapshot') {
  return { 'trueup:purpose': purpose };
}

/** Data keys from KMS, AES-256-GCM here. The key of the digests is the text of a secret, which must not be rotated. */
export class KmsSealer implements Sealer {
  readonly #keyId: string;
  readonly #digestKeySecret: string;
  readonly #secrets: Secrets;
  readonly #client: KMSClient;
  #digestKey: Promise<Uint8Array> | undefined;
  readonly encrypt = sealValue;
  readonly decrypt = openValue;

  constructor(
    options: { readonly keyId: string; readonly digestKeySecret: string; readonly secrets: Secrets },
    client: KMSClient = new KMSClient(awsClient),
  ) {
    this.#keyId = options.keyId;
    this.#digestKeySecret = options.digestKeySecret;
    this.#secrets = options.secrets;
    this.#client = client;
  }

  /** Read once by a process: it never changes, and each reading is paid for. */
  async digestKey(): Promise<Uint8Array> {
    this.#digestKey ??= this.#readDigestKey();
    try {
      return await this.#digestKey;
    } catch (error) {
      this.#digestKey = undefined;
      throw error;
    }
  }

  async #readDigestKey(): Promise<Uint8Array> {
    const { current } = await this.#secrets.get(this.#digestKeySecret);
    return new TextEncoder().encode(current);
  }

  async newDataKey(
    purpose?: SealingPurpose,
  ): Promise<{ readonly wrapped: string; readonly key: Uint8Array }> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#keyId,
      KeySpec: 'AES_256',
      EncryptionContext: contextOf(purpose),
    });
    const { CiphertextBlob, Plaintext } = await this.#client.send(command).catch((error: unknown) => {
      throw this.#fault('kms:GenerateDataKey', error);
    });
    if (CiphertextBlob === undefined || Plaintext === undefined) throw new Error('KMS gave no data key');
    return { wrapped: Buffer.from(CiphertextBlob).toString('base64'), key: Plaintext };
  }

  async unwrap(wrapped: string, purpose?: SealingPurpose): Promise<Uint8Array> {
    const command = new DecryptCommand({
      KeyId: this.#keyId,
      CiphertextBlob: Buffer.from(wrapped, 'base64'),
      EncryptionContext: contextOf(purpose),
    });
    const { Plaintext } = await this.#client.send(command).catch((error: unknown) => {
      throw this.#fault('kms:Decrypt', error);
    });
    if (Plaintext === undefined) throw new Error('KMS gave no plain data key');
    return Plaintext;
  }

  #fault(permission: string, error: unknown): unknown {
    return awsFault({ subject: `KMS key ${this.#keyId}`, permission }, error);
  }
}
