import * as z from 'zod';
import type { Image } from '../model/image.ts';
import type { Provider } from './provider.ts';
import { digestSchema, readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const eventSchema = z.object({
  action: z.string().max(64),
  target: z.object({
    mediaType: z.string().max(200).optional(),
    digest: digestSchema.optional(),
    repository: repositoryNameSchema,
    tag: z.string().max(200).optional(),
  }),
  request: z.object({ host: z.string().max(300).optional() }).optional(),
});
const bodySchema = z.object({ events: z.array(eventSchema).max(10_000) });

/** Images of a notification as the CNCF registry makes it, and as ACR does: blobs and pulls are told of too. */
export function imageOfEvent({ action, target, request }: z.infer<typeof eventSchema>): Image[] {
  const tag = tagSchema.safeParse(target.tag);
  if (action !== 'push' || !tag.success) return [];
  const host = request?.host ?? '';
  const { digest, mediaType } = target;
  const repository = host === '' ? target.repository : `${host}/${target.repository}`;
  return [
    {
      repository,
      tag: tag.data,
      ...(digest !== undefined && { digest }),
      ...(mediaType !== undefined && { mediaType }),
    },
  ];
}

export { eventSchema as notificationSchema };

/** Notifications of the CNCF registry (distribution): the headers that its operator configured. */
export const distribution: Provider = {
  verification: () => ({ kind: 'token', header: 'authorization', bearer: true }),
  headers: ['content-type'],
  read(request) {
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const images = body.value.events.flatMap(imageOfEvent);
    // Each event in the body has an id of its own.
    if (images.length > 0) return { kind: 'images', event: 'push', images, stamped: true };
    const actions = [...new Set(body.value.events.map(({ action }) => action))].slice(0, 5).join(', ');
    const reason = `no tag was pushed (actions: ${actions || 'none'}; ignore pulls and layers at the registry)`;
    return { kind: 'ignored', event: 'notification', reason };
  },
};
