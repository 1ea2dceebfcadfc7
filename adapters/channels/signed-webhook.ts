import { Webhook } from 'standardwebhooks';
import { Blocked, messageOf } from '../../core/errors.ts';
import type { Notice } from '../../core/model/notice.ts';

/** A notice as Standard Webhooks have it: type, time, data; signed over id, time and body. */
export function signedWebhook(
  notice: Notice,
  { key, now, subject, secret }: { key: string; now: number; subject: string; secret: string },
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const { event, phase, at } = notice;
  const body = JSON.stringify({ type: `${event}.${phase}`, timestamp: at, data: notice });
  // The same over the tries of one message, so that whoever gets it twice can tell.
  const id = `msg_${notice.id}`;
  const signature = signer(key, subject, secret).sign(id, new Date(now), body);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': signature,
  };
  return { body, headers };
}

function signer(key: string, subject: string, secret: string): Webhook {
  const bytes = Buffer.from(key.replace(/^whsec_/, ''), 'base64').length;
  try {
    if (bytes >= 24) return new Webhook(key);
  } catch (cause) {
    throw new Blocked({ subject, message: `cannot sign (${messageOf(cause)}); ${advice(secret)}`, cause });
  }
  throw new Blocked({
    subject,
    message: `has a key of ${bytes} bytes, too short to sign with; ${advice(secret)}`,
  });
}

function advice(secret: string): string {
  return `put whsec_ and the base64 of 24 to 64 random bytes into the secret ${secret}`;
}
