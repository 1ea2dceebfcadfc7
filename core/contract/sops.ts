import * as z from 'zod';
import { kmsKeySchema } from './kms-key.ts';

/** What may open files that SOPS encrypted. Nothing is opened with a key that is not named here. */
export const sopsSchema = z
  .strictObject({
    kmsKeys: z.array(kmsKeySchema).default([]).describe('ARNs of KMS keys, as the files name them'),
    ageSecret: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Secrets Manager name of age identities, a line `AGE-SECRET-KEY-1…` each'),
  })
  .describe('keys that open files encrypted by SOPS; asked at apply and at exact checks');
