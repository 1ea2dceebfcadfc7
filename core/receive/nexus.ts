import * as z from 'zod';
import type { Provider } from './provider.ts';
import { deliveryIdSchema, parsePart, readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const headersSchema = z.object({
  'x-nexus-webhook-id': z.string().regex(/^[\w:.-]{1,100}$/, 'must name the event'),
  'x-nexus-webhook-delivery': deliveryIdSchema.optional(),
});

const bodySchema = z.object({
  timestamp: z.string().optional(),
  action: z.string().max(64),
  component: z
    .object({ format: z.string().optional(), name: repositoryNameSchema, version: z.string().nullish() })
    .optional(),
  asset: z.object({ format: z.string().optional(), name: z.string().max(2048) }).optional(),
});
type Body = z.infer<typeof bodySchema>;

const manifestPattern = /^\/?v2\/(.+)\/manifests\/([^/]+)$/;

/** Sonatype Nexus 3: HMAC-SHA1, which it makes over the body without whitespace. */
export const nexus: Provider = {
  verification: () => ({
    kind: 'hmac',
    algorithm: 'sha1',
    header: 'x-nexus-webhook-signature',
    prefix: '',
    minified: true,
  }),
  headers: ['content-type', 'x-nexus-webhook-id', 'x-nexus-webhook-delivery'],
  read(request, hook) {
    const headers = parsePart('header', headersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const event = headers.value['x-nexus-webhook-id'];
    const told = { deliveryId: headers.value['x-nexus-webhook-delivery'], event };
    const ignored = (reason: string) => ({ kind: 'ignored', ...told, reason }) as const;
    if (event !== 'rm:repository:component' && event !== 'rm:repository:asset') {
      return ignored(`event ${event} is not used (used: rm:repository:component, rm:repository:asset)`);
    }
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const { action, timestamp } = body.value;
    if (action !== 'CREATED' && action !== 'UPDATED') return ignored(`something was ${action}`);
    const [name, version] = imageOf(body.value);
    const tag = tagSchema.safeParse(version);
    if (name === undefined || !tag.success) return ignored('it is not an image with a tag');
    const host = hook.provider === 'nexus' ? `${hook.registry}/` : '';
    const images = [{ repository: `${host}${name}`, tag: tag.data }];
    return { kind: 'images', ...told, images, stamped: timestamp !== undefined };
  },
};

/** A component says name and version; an asset of an image is a path of the registry's API. */
function imageOf({ component, asset }: Body): readonly [name?: string, version?: string | null] {
  if ((component ?? asset)?.format !== 'docker') return [];
  if (component !== undefined) return [component.name, component.version ?? null];
  const [, name, version] = manifestPattern.exec(asset?.name ?? '') ?? [];
  return name === undefined || version === undefined ? [] : [name, version];
}
