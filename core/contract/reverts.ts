import * as z from 'zod';
import { imagesSchema } from './images.ts';

/** With what the names of branches begin that a change is taken back from. */
export const revertBranches = 'trueup/revert/';

const { author, tokenSecret, signingKeySecret } = imagesSchema.shape;

/** How pull requests that take a change back are opened in a repository, beside rollbacks of its applications. */
export const revertsSchema = z.strictObject({
  author,
  tokenSecret,
  signingKeySecret,
  labels: z
    .array(z.string().min(1).max(50))
    .max(10)
    .default([])
    .describe('put on these pull requests, at hosts that have labels'),
});
