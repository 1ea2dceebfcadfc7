import * as z from 'zod';
import { imagesSchema, pullRequestLabels } from './images.ts';

const branches = 'trueup/revert/';

/** The branch from which a change is taken back, of one installation alone (`installationName`). */
export function revertBranch(installation: string, change: string): string {
  return `${branches}${installation}/${change}`;
}

/** How older versions named it, newest first: what people said to one of these counts still. */
export function formerRevertBranches(fleet: string, change: string): readonly string[] {
  return [`${branches}${fleet}/${change}`, `${branches}${change}`];
}

const { author, tokenSecret, signingKeySecret } = imagesSchema.shape;

/** How pull requests that take a change back are opened in a repository, beside rollbacks of its applications. */
export const revertsSchema = z.strictObject({
  author,
  tokenSecret,
  signingKeySecret,
  labels: pullRequestLabels,
});
