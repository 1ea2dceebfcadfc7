import * as z from 'zod';
import { imagesSchema, pullRequestLabels } from './images.ts';

/** With what the names of branches begin that a change is taken back from; then comes the fleet, so that two installations have their own. */
export const revertBranches = 'trueup/revert/';

const { author, tokenSecret, signingKeySecret } = imagesSchema.shape;

/** How pull requests that take a change back are opened in a repository, beside rollbacks of its applications. */
export const revertsSchema = z.strictObject({
  author,
  tokenSecret,
  signingKeySecret,
  labels: pullRequestLabels,
});
