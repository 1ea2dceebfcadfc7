import { Blocked, messageOf } from '../core/errors.ts';

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

const advice: Readonly<Record<string, string>> = {
  EACCES: 'give yourself access to it',
  EPERM: 'give yourself access to it',
  EROFS: 'choose a folder that can be written',
  ENOSPC: 'free some space',
  EDQUOT: 'free some space',
  ENOTDIR: 'a file stands where a folder is needed: move it, or choose another folder',
  EEXIST: 'a file stands where a folder is needed: move it, or choose another folder',
  EISDIR: 'a folder stands where a file is needed: move it, or choose another folder',
};

/** What the file system refused, as something that a person must mend; whatever else was thrown passes as it is. */
export function fileFault(subject: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  const what = advice[String(error.code)] ?? 'mend that and try again';
  return new Blocked({ subject, message: `${messageOf(error)}; ${what}`, cause: error });
}
