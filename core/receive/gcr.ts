import { base64, utf8 } from '@scure/base';
import * as z from 'zod';
import type { Provider } from './provider.ts';
import {
  deliveryIdSchema,
  digestSchema,
  invalid,
  parseJson,
  parsePart,
  readBody,
  tagSchema,
} from './read-body.ts';

/** What Pub/Sub puts around a message when it pushes it; `messageId` is the same over its tries. */
const pushSchema = z.object({
  message: z.object({ messageId: deliveryIdSchema, data: z.base64().max(65_536) }),
});

const reference = z.string().min(1).max(600);
/** What Artifact Registry and Container Registry put into the topic `gcr`. */
const changeSchema = z.object({
  action: z.string().max(64),
  tag: reference.optional(),
  digest: reference.optional(),
});

/** Artifact Registry and Container Registry of Google, by a Pub/Sub subscription that pushes with a token. */
export const gcr: Provider = {
  verification: () => ({ kind: 'oidc' }),
  headers: ['content-type'],
  read(request) {
    const push = readBody(request, pushSchema);
    if (push.kind === 'invalid') return push;
    const { messageId: deliveryId, data } = push.value.message;
    const json = parseJson(textOf(data));
    if (json === undefined) return invalid('body message.data is not JSON in base64: is it the topic gcr?');
    const change = parsePart('message.data', changeSchema, json);
    if (change.kind === 'invalid') return change;
    const { action: event, tag: tagged = '', digest: pinned = '' } = change.value;
    const told = { deliveryId, event };
    if (event !== 'INSERT')
      return { kind: 'ignored', ...told, reason: `action ${event} is not used (used: INSERT)` };
    const [, repository, tag] = /^(.+\/[^/:]+):([^/:]+)$/.exec(tagged) ?? [];
    if (repository === undefined || !tagSchema.safeParse(tag).success || tag === undefined) {
      return { kind: 'ignored', ...told, reason: 'an image without a tag' };
    }
    const digest = digestSchema.safeParse(pinned.slice(pinned.indexOf('@') + 1)).data;
    const image = digest === undefined ? { repository, tag } : { repository, tag, digest };
    return { kind: 'images', ...told, images: [image], stamped: true };
  },
};

/** Bytes that are no UTF-8 the package throws at; no JSON is empty. */
function textOf(data: string): string {
  try {
    return utf8.encode(base64.decode(data));
  } catch {
    return '';
  }
}
