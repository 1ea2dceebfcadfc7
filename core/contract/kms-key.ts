import * as z from 'zod';

/** A key that somebody else's data is encrypted with. */
export const kmsKeySchema = z
  .string()
  .regex(
    /^arn:aws[-a-z]*:kms:[-a-z0-9]+:[0-9]{12}:key\/[-A-Za-z0-9]+$/,
    'must be the ARN of a KMS key, not of an alias: permissions are granted on keys',
  );
