import * as z from 'zod';
import type { SecretPlace } from '../model/secret-reference.ts';
import { matchesWildcard } from '../model/wildcard.ts';
import { kmsKeySchema } from './kms-key.ts';

/** `*` stands for any text, slashes too, as in a policy of IAM: what is allowed here is granted there in the same words. */
const secretPattern = z
  .string()
  .regex(
    /^(?:arn:aws[-a-z]*:secretsmanager:[-a-z0-9]+:[0-9]{12}:secret:)?\/?[A-Za-z0-9_=.@-][A-Za-z0-9/_=.@*-]*$/,
    'must be the name of a secret or its ARN, with * for any text; not all of them: begin with a name',
  );

const parameterPattern = z
  .string()
  .regex(
    /^\/[A-Za-z0-9_.-][A-Za-z0-9/_.*-]*$/,
    'must be the name of a parameter from its first slash on, with * for any text; not all of them: begin with a name',
  );

/** What references in Secrets may name. Nothing else is ever read for an application. */
export const secretReferencesSchema = z
  .strictObject({
    secrets: z
      .array(secretPattern)
      .max(50)
      .default([])
      .describe(
        'names of secrets, or ARNs for those of another account or region, as the references spell them',
      ),
    parameters: z.array(parameterPattern).max(50).default([]).describe('names of SSM parameters'),
    kmsKeys: z
      .array(kmsKeySchema)
      .max(50)
      .default([])
      .describe('ARNs of KMS keys of your own that encrypt these; none for the keys that AWS manages'),
  })
  .describe(
    'values of Secrets Manager and SSM that Secrets may refer to; asked at apply and at exact checks',
  );
export type SecretReferences = z.infer<typeof secretReferencesSchema>;

/** True for a place that a pattern of the configuration allows. */
export function isAllowed({ store, name }: SecretPlace, { secrets, parameters }: SecretReferences): boolean {
  const patterns = store === 'awssecrets' ? secrets : parameters;
  return patterns.some((pattern) => matchesWildcard(name, pattern));
}
