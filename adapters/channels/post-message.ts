import { Blocked, Retry, Stop } from '../../core/errors.ts';
import { guardedFetch } from '../guarded-fetch.ts';

/** One message over HTTP. */
export interface Message {
  /** For texts: `channel ops`. */
  readonly subject: string;
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string;
  /** The address may be in a private network. */
  readonly internal: boolean;
  /** What a person mends where it is refused: `the secret acme/slack`. */
  readonly credential: string;
  /** The other side's reason, out of its answer where that is JSON: a sentence of its own, never what it was sent. */
  readonly reason?: (answer: unknown) => string | undefined;
}

const seconds = 10;
const longestAnswer = 64 * 1024;
/** An answer that is one short phrase is shown; anything else may repeat what was sent. */
const phrase = /^[\w .:'-]{1,100}$/;

/**
 * Posts JSON to the one host that the address names: over TLS, never along a redirect, never to a cloud's own services.
 * Throws Retry (busy, with the time that it names, or no answer), Blocked where the address or key is refused, Stop where
 * the message is.
 */
export async function postMessage(message: Message): Promise<void> {
  const { subject, body, headers, authorization, internal, credential } = message;
  const url = addressOf(message);
  const reach = { subject, hosts: [url.host], internal };
  const { status, body: answer } = await guardedFetch(url.href, reach, {
    headers: { 'content-type': 'application/json', 'user-agent': 'trueup', ...headers },
    ...(authorization !== undefined && { authorization }),
    body,
    bytes: longestAnswer,
    seconds,
    redirects: 0,
  });
  if (status >= 200 && status < 300) return;
  const text = Buffer.from(answer).toString('utf8').trim();
  const reason = message.reason?.(jsonOf(text)) ?? (phrase.test(text) ? text : undefined);
  const told = `${status}${reason === undefined ? '' : `: ${reason}`}`;
  if ([401, 403, 404, 410].includes(status)) {
    throw new Blocked({ subject, message: `${url.host} refuses it (${told}); mend ${credential}` });
  }
  if (status === 408) throw new Retry({ subject, message: `${url.host} did not wait for it (${told})` });
  throw new Stop({ subject, message: `${url.host} does not take this message (${told})` });
}

/** The address itself is secret, and so in no text. */
function addressOf({ subject, url, credential }: Message): URL {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username !== '' || parsed.password !== '') {
    const message = `has no address to send to; put one that begins with https:// into ${credential}`;
    throw new Blocked({ subject, message });
  }
  return parsed;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
