import { Retry, messageOf } from '../core/errors.ts';

/** A request as a Git host would make it. */
export interface Probe {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const answerWithin = 10_000;

/** HTTP status of the answer; its body is not read. Throws Retry where nobody answers. */
export async function probeHook({ url, headers, body }: Probe): Promise<number> {
  try {
    const signal = AbortSignal.timeout(answerWithin);
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    const cause =
      error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
    // A path may be the secret itself.
    const { origin } = new URL(url);
    throw new Retry({ subject: origin, message: `nobody answers there (${cause}); try again`, cause: error });
  }
}
