import type { TreeFiles } from './rendering.ts';

/** Something that a commit may try, and must not get. */
export interface MaliciousCase {
  readonly tried: string;
  readonly files: TreeFiles;
  /** As an Application spells it; default: the folder `overlays/prod`. */
  readonly source?: object;
}
