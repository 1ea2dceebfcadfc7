import { digestOf } from '../model/digest.ts';

/**
 * By what branches, pull requests and commits of an installation are told from those of another of the same `fleet`: no two
 * have one bucket. Of its name, which may hold an account, only a digest is shown.
 */
export function installationName(fleet: string, bucket: string): string {
  return `${fleet}-${digestOf({ bucket })
    .replace(/^sha256:/, '')
    .slice(0, 8)}`;
}
