import { PackageURL } from 'packageurl-js';
import * as z from 'zod';
import type { Image } from '../model/image.ts';
import type { Provider } from './provider.ts';
import { digestSchema, invalid, readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const eventSchema = z.object({
  context: z.object({ id: z.string().min(1), type: z.string().max(128), timestamp: z.string() }),
  subject: z.object({ id: z.string().min(1).max(2048) }),
});

/** CloudEvents in structured mode have the event in `data`; in binary mode it is the body. */
const envelopeSchema = z.object({ type: z.string().max(128), data: eventSchema });

/** CDEvents in CloudEvents, from whatever makes them: it names no proof of its own. */
export const cdevents: Provider = {
  verification: () => ({ kind: 'path' }),
  headers: ['content-type', 'ce-type'],
  read(request) {
    const isStructured = /^application\/cloudevents\+json/i.test(request.headers['content-type'] ?? '');
    const envelope = isStructured
      ? readBody(request, envelopeSchema)
      : readBody(
          request,
          eventSchema.transform((data) => ({ type: request.headers['ce-type'], data })),
        );
    if (envelope.kind === 'invalid') return envelope;
    const { type, data } = envelope.value;
    const { id, type: event } = data.context;
    if (type === undefined) return invalid('header ce-type is missing');
    if (type !== event)
      return invalid(`${isStructured ? 'body type' : 'header ce-type'} is not context.type of the body`);
    // An id is one of its source alone; those that are not unique the world over are left to the bytes.
    const told = { deliveryId: z.uuid().safeParse(id).data, event };
    if (!/^dev\.cdevents\.artifact\.published\.\d/.test(event)) {
      const reason = `event ${event} is not used (used: dev.cdevents.artifact.published)`;
      return { kind: 'ignored', ...told, reason };
    }
    const image = imageOf(data.subject.id);
    if (typeof image === 'string') return { kind: 'ignored', ...told, reason: image };
    return { kind: 'images', ...told, images: [image], stamped: true };
  },
};

/** The image that a package URL names, or why it names none. */
function imageOf(purl: string): Image | string {
  const parsed = parse(purl);
  if (parsed?.type !== 'oci' && parsed?.type !== 'docker')
    return 'the artifact is no image (pkg:oci or pkg:docker)';
  const { type, namespace, name, version, qualifiers } = parsed;
  const at = qualifiers?.['repository_url']?.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  // Of an OCI artifact it is all of the address; of an image of Docker the registry.
  const path = [at ?? 'docker.io', ...(namespace === undefined ? [] : [namespace]), name].join('/');
  const repository = repositoryNameSchema.safeParse(type === 'oci' ? at : path).data;
  if (repository === undefined) return 'the package URL names no repository_url';
  const digest = digestSchema.safeParse(version).data;
  const tag = tagSchema.safeParse(qualifiers?.['tag'] ?? (type === 'docker' ? version : undefined)).data;
  if (tag === undefined) return 'an image without a tag';
  return digest === undefined ? { repository, tag } : { repository, tag, digest };
}

/** Undefined of what is no package URL, which the package throws at. */
function parse(purl: string): PackageURL | undefined {
  try {
    return PackageURL.fromString(purl);
  } catch {
    return undefined;
  }
}
