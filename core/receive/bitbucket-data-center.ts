import * as z from 'zod';
import type { Provider } from './provider.ts';
import {
  deliveryIdSchema,
  parsePart,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';
import { absentSha } from './reading.ts';

const pushSchema = z.object({
  date: z.string().optional(),
  repository: z.object({
    slug: repositoryNameSchema,
    project: z.object({ key: repositoryNameSchema }),
    // Absent in versions before 8: then the name has to do.
    links: z.object({ clone: z.array(z.object({ href: urlSchema })).optional() }).optional(),
  }),
  changes: z
    .array(
      z.object({
        ref: z.object({ id: refSchema }),
        fromHash: shaSchema,
        toHash: shaSchema,
        type: z.enum(['ADD', 'UPDATE', 'DELETE']),
      }),
    )
    .min(1)
    .max(1000),
});

const headersSchema = z.object({
  'x-event-key': z.string().regex(/^[\w:]{1,64}$/, 'must name the event'),
  'x-request-id': deliveryIdSchema,
});

/** Bitbucket Data Center and Server. */
export const bitbucketDataCenter: Provider = {
  verification: () => ({
    kind: 'hmac',
    algorithm: 'sha256',
    header: 'x-hub-signature',
    prefix: 'sha256=',
  }),
  headers: ['content-type', 'x-event-key', 'x-request-id'],
  read(request) {
    const headers = parsePart('header', headersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const told = { deliveryId: headers.value['x-request-id'], event: headers.value['x-event-key'] };
    if (told.event === 'diagnostics:ping') return { kind: 'ignored', ...told, reason: 'ping' };
    if (told.event !== 'repo:refs_changed') {
      const reason = `event ${told.event} is not used (used: repo:refs_changed)`;
      return { kind: 'ignored', ...told, reason };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { repository, changes, date } = body.value;
    const hint = {
      fullName: `${repository.project.key}/${repository.slug}`,
      urls: (repository.links?.clone ?? []).map(({ href }) => href),
    };
    const pushes = changes.map(({ ref, fromHash, toHash, type }) => ({
      repository: hint,
      ref: ref.id,
      before: type === 'ADD' ? absentSha : fromHash,
      after: type === 'DELETE' ? absentSha : toHash,
    }));
    return { kind: 'pushes', ...told, pushes, stamped: date !== undefined };
  },
};
