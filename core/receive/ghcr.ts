import * as z from 'zod';
import { githubHeadersSchema, githubVerification } from './github.ts';
import type { Provider } from './provider.ts';
import { digestSchema, parsePart, readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const packageSchema = z.object({
  name: repositoryNameSchema,
  namespace: repositoryNameSchema,
  package_type: z.string().nullish(),
  package_version: z
    .object({
      container_metadata: z
        .object({
          // Empty where a digest was pushed without a tag.
          tag: z.object({ name: z.string().nullish(), digest: z.string().nullish() }).nullish(),
          manifest: z.object({ media_type: z.string().max(200).nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const bodySchema = z.object({
  action: z.string().max(64),
  package: packageSchema.optional(),
  registry_package: packageSchema.optional(),
});

/** GitHub's container registry: a webhook of GitHub with the event package, of a repository or an organization. */
export const ghcr: Provider = {
  verification: () => githubVerification,
  headers: ['content-type', 'x-github-delivery', 'x-github-event'],
  read(request) {
    const headers = parsePart('header', githubHeadersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const told = { deliveryId: headers.value['x-github-delivery'], event: headers.value['x-github-event'] };
    const ignored = (reason: string) => ({ kind: 'ignored', ...told, reason }) as const;
    if (told.event === 'ping') return ignored('ping');
    if (told.event !== 'package' && told.event !== 'registry_package') {
      return ignored(`event ${told.event} is not used (used: package, registry_package)`);
    }
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const { action } = body.value;
    const pushed = body.value.package ?? body.value.registry_package;
    if (action !== 'published' && action !== 'updated') return ignored(`a package was ${action}`);
    const container = pushed?.package_version?.container_metadata;
    if (pushed === undefined || container === undefined || container === null) {
      return ignored(`a package of the type ${pushed?.package_type ?? 'unknown'} is not an image`);
    }
    const tag = tagSchema.safeParse(container.tag?.name);
    if (!tag.success) return ignored('an image without a tag');
    const digest = digestSchema.safeParse(container.tag?.digest).data;
    const mediaType = container.manifest?.media_type ?? undefined;
    const image = {
      repository: `ghcr.io/${ownerOf(pushed.namespace)}/${pushed.name}`.toLowerCase(),
      tag: tag.data,
      ...(digest !== undefined && { digest }),
      ...(mediaType !== undefined && { mediaType }),
    };
    return { kind: 'images', ...told, images: [image], stamped: true };
  },
};

/** A namespace is an owner, and in older payloads `owner/repository`. */
function ownerOf(namespace: string): string {
  return namespace.split('/')[0] ?? namespace;
}
