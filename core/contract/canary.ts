import * as z from 'zod';
import { nameSchema } from '../model/target.ts';

/** Name of the canary's application, and of its one object; no Application of a repository should have it. */
export const canaryApplication = 'trueup-canary';

/** Where the canary lives: a ConfigMap of its own, and nothing else, is ever touched for it. */
export const canarySchema = z
  .strictObject({
    cluster: nameSchema.describe('where it lives; every cluster is checked by the same code'),
    namespace: z
      .string()
      .min(1)
      .max(63)
      .describe('which exists there, and where trueup may write ConfigMaps'),
  })
  .describe(
    'twice a day an object of its own is changed, which must be found and put right; an alarm tells when not',
  );
