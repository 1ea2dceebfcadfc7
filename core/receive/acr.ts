import * as z from 'zod';
import { imageOfEvent, notificationSchema } from './distribution.ts';
import type { Provider } from './provider.ts';
import { deliveryIdSchema, readBody } from './read-body.ts';

const envelopeSchema = z.object({ id: deliveryIdSchema.optional(), action: z.string().max(64) });

/** Azure Container Registry: one notification a request, and the custom header that its owner set. */
export const acr: Provider = {
  verification: () => ({ kind: 'token', header: 'authorization', bearer: true }),
  headers: ['content-type'],
  read(request) {
    const envelope = readBody(request, envelopeSchema);
    if (envelope.kind === 'invalid') return envelope;
    const { id: deliveryId, action: event } = envelope.value;
    if (event === 'ping') return { kind: 'ignored', deliveryId, event, reason: 'ping' };
    if (event !== 'push') {
      return { kind: 'ignored', deliveryId, event, reason: `action ${event} is not used (used: push)` };
    }
    const body = readBody(request, notificationSchema);
    if (body.kind === 'invalid') return body;
    const images = imageOfEvent(body.value);
    if (images.length === 0) return { kind: 'ignored', deliveryId, event, reason: 'an image without a tag' };
    return { kind: 'images', deliveryId, event, images, stamped: deliveryId !== undefined };
  },
};
