import * as z from 'zod';
import { isJsonObject, type Json } from './json.ts';

/** A leaf as SOPS writes it: AES-256-GCM, bound to its place in the file; parts are base64. */
export const encryptedPattern =
  /^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]$/;

/** What to do when more or less than the values of a Secret is encrypted. */
export const encryptOnly = "encrypt with --encrypted-regex '^(data|stringData)$'";

/** True for a leaf that SOPS encrypted. */
export function isEncrypted(value: unknown): value is `ENC[${string}]` {
  return typeof value === 'string' && encryptedPattern.test(value);
}

/** Paths of the encrypted leaves of a value, in its order. */
export function encryptedPaths(value: Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (isEncrypted(value)) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => encryptedPaths(member, [...path, key]));
}

/** The `sops` block of a file, as far as it is needed: who may open it, and the MAC over all its values. */
export const sopsMetadataSchema = z.object({
  mac: z.string(),
  lastmodified: z.string(),
  mac_only_encrypted: z.boolean().nullish(),
  /** Parts of the key with different people (Shamir); not read. */
  key_groups: z.array(z.unknown()).nullish(),
  kms: z
    .array(
      z.object({ arn: z.string(), enc: z.string(), context: z.record(z.string(), z.string()).nullish() }),
    )
    .nullish(),
  age: z.array(z.object({ recipient: z.string(), enc: z.string() })).nullish(),
});
export type SopsMetadata = z.infer<typeof sopsMetadataSchema>;

/** A file as it was committed: its MAC covers it as it is, and not the object that was made of it. */
export const sopsFileSchema = z.object({ file: z.string(), text: z.string() });
export type SopsFile = z.infer<typeof sopsFileSchema>;

/** Files by the key of the object that each holds. */
export interface SopsFiles {
  readonly [objectKey: string]: SopsFile;
}

/** Values that the API server takes for the data of a Secret, whatever they encrypt. */
export function hasEncryptedData({ data, stringData }: { readonly [key: string]: Json }): boolean {
  return [data, stringData].some(
    (members) => isJsonObject(members ?? null) && Object.values(members ?? {}).some(isEncrypted),
  );
}
