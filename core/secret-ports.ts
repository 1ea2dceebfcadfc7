import type { Json } from './model/json.ts';
import type { ReferencedValue, SecretPlace } from './model/secret-reference.ts';
import type { SopsFile } from './model/sops.ts';

/** Values of one secret: the current one and, during rotation, the previous one. */
export interface Secrets {
  /** Values may be a minute old, or as old as `maxAgeSeconds` says where that is less. */
  get(
    name: string,
    options?: { readonly maxAgeSeconds?: number },
  ): Promise<{ readonly current: string; readonly previous?: string }>;
}

/** Opens files that SOPS encrypted, at apply and at exact checks. */
export interface SopsOpener {
  /**
   * Every encrypted leaf of a committed file with its value, once the MAC over the whole file is verified. Throws Blocked when
   * no key opens it, Stop when it was altered, Retry when KMS was away; `subject` is what those are about, and none holds a value.
   */
  open(file: SopsFile, subject: string): Promise<ReadonlyMap<string, Json>>;
}

/** Values that Secrets refer to, in Secrets Manager and SSM. */
export interface ReferencedValues {
  /**
   * The value as it is now, or that of the version that the place names; never remembered. Throws Blocked when it may not be
   * read or is not there, Retry when AWS was away; neither holds a value.
   */
  read(place: SecretPlace): Promise<ReferencedValue>;
}

/** What data keys are for; default: a snapshot. The function that renders may open what was looked up, and nothing else. */
export type SealingPurpose = 'snapshot' | 'lookup';

/** Envelope encryption of secret leaves (rule 9). */
export interface Sealer {
  /** Key of the keyed digests. Never leaves memory. */
  digestKey(): Promise<Uint8Array>;
  /** A fresh data key; `wrapped` is base64 of its KMS ciphertext. */
  newDataKey(purpose?: SealingPurpose): Promise<{ readonly wrapped: string; readonly key: Uint8Array }>;
  /** For the purpose that it was made for. */
  unwrap(wrapped: string, purpose?: SealingPurpose): Promise<Uint8Array>;
  encrypt(key: Uint8Array, plain: string): string;
  decrypt(key: Uint8Array, sealed: string): string;
}
