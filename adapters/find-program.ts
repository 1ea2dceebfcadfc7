import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Absolute path of a program in the folders of a PATH. Throws when it is in none. */
export async function findProgram(name: string, path: string): Promise<string> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new Error(
    `there is no ${name} on the PATH ${path}; install it, or deploy the function's image as it is built`,
  );
}
