import * as z from 'zod';
import type { Image } from '../model/image.ts';
import type { Provider } from './provider.ts';
import { deliveryIdSchema, digestSchema, readBody, tagSchema, urlSchema } from './read-body.ts';

const resourceSchema = z.object({
  digest: digestSchema.optional(),
  tag: z.string().max(200).optional(),
  resource_url: urlSchema.min(1),
});
const dataSchema = z.object({ resources: z.array(resourceSchema).max(1000) });

/** Harbor's own format, or CloudEvents: the same data under another name. */
const bodySchema = z.object({
  type: z.string().max(64),
  occur_at: z.number().optional(),
  event_data: z.unknown().optional(),
  id: deliveryIdSchema.optional(),
  data: z.unknown().optional(),
});

const pushedSchema = z
  .object({ event_data: dataSchema.optional(), data: dataSchema.optional() })
  .transform(({ event_data, data }) => event_data ?? data)
  .pipe(dataSchema);

/** Harbor: a fixed Authorization header, which whoever saw it once can send again. */
export const harbor: Provider = {
  verification: () => ({ kind: 'token', header: 'authorization', bearer: true }),
  headers: ['content-type'],
  read(request) {
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const { type: event, id: deliveryId, occur_at } = body.value;
    if (event !== 'PUSH_ARTIFACT' && event !== 'harbor.artifact.pushed') {
      const reason = `event ${event} is not used (used: PUSH_ARTIFACT, harbor.artifact.pushed)`;
      return { kind: 'ignored', deliveryId, event, reason };
    }
    const pushed = readBody(request, pushedSchema);
    if (pushed.kind === 'invalid') return pushed;
    const images = pushed.value.resources.flatMap(imageOf);
    if (images.length === 0) return { kind: 'ignored', deliveryId, event, reason: 'an image without a tag' };
    const stamped = deliveryId !== undefined || occur_at !== undefined;
    return { kind: 'images', deliveryId, event, images, stamped };
  },
};

function imageOf({ digest, tag, resource_url: url }: z.infer<typeof resourceSchema>): Image[] {
  // Where a digest was pushed without a tag, Harbor says the digest in the tag's place.
  if (!tagSchema.safeParse(tag).success || tag === undefined) return [];
  const repository = url.replace(/^https?:\/\//, '').replace(/(@[^/]*|:[^/]*)$/, '');
  return [digest === undefined ? { repository, tag } : { repository, tag, digest }];
}
