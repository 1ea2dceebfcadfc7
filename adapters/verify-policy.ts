import type { KeySource, VerifyConfig } from '../core/contract/verify.ts';
import { Blocked, Stop, messageOf } from '../core/errors.ts';
import type { Signature } from '../core/model/commit.ts';
import type { Secrets } from '../core/ports.ts';
import { log } from './log.ts';

/** What was looked at, for texts. */
export interface Judged {
  readonly repository: string;
  readonly sha: string;
  /** E.g. `commit 0123456 of repository fleet`. */
  readonly subject: string;
  /** What a person can do about a refusal, a sentence without a stop. */
  readonly advice: string;
}

export function refused(reason: string): Signature {
  return { verdict: 'refused', reason };
}

/** What is to become of a verdict. Throws Stop for a refusal where a good signature is required; warns where it is not. */
export function enforce(
  signature: Signature,
  { mode }: Pick<VerifyConfig, 'mode'>,
  { repository, sha, subject, advice }: Judged,
): Signature {
  if (signature.verdict === 'good') return signature;
  const { reason } = signature;
  if (mode === 'require') {
    const message = `is not followed, since ${reason}; nothing was changed. ${advice}`;
    throw new Stop({ subject, message });
  }
  log('WARN', 'commit without a good signature', { repository, sha, reason });
  return signature;
}

/** Texts of keys, inline or of secrets. */
export function textsOf(list: readonly KeySource[], secrets: Secrets): Promise<readonly string[]> {
  return Promise.all(
    list.map(async (one) => (typeof one === 'string' ? one : (await secrets.get(one.secret)).current)),
  );
}

/** Reads a configured text. Throws Blocked, naming its field below `verify`, where that cannot be done. */
export async function parsedBy<T>(
  repository: string,
  field: string,
  text: string,
  parse: (text: string) => T,
): Promise<Awaited<T>> {
  try {
    return await parse(text);
  } catch (error) {
    const message = `verify.${field} of the stack configuration cannot be read (${messageOf(error)}); mend it there or in its secret`;
    throw new Blocked({ subject: `repository ${repository}`, message });
  }
}
