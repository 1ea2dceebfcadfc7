import * as z from 'zod';
import type { Provider } from './provider.ts';
import {
  deliveryIdSchema,
  invalid,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';

const envelopeSchema = z.object({ id: deliveryIdSchema, eventType: z.string().regex(/^[\w.-]{1,64}$/) });

const pushSchema = z.object({
  createdDate: z.string().optional(),
  resource: z.object({
    refUpdates: z
      .array(z.object({ name: refSchema, oldObjectId: shaSchema, newObjectId: shaSchema }))
      .min(1)
      .max(1000),
    repository: z.object({
      name: repositoryNameSchema,
      remoteUrl: urlSchema,
      project: z.object({ name: repositoryNameSchema }).optional(),
    }),
  }),
});

/** The parts that a subscription leaves out when told to send less than all. */
const shortSchema = z.object({ resource: z.object({ refUpdates: z.unknown().optional() }).nullish() });

/** Azure DevOps: signs nothing; its service hooks send Basic authentication. */
export const azureDevops: Provider = {
  verification: () => ({ kind: 'basic' }),
  headers: ['content-type'],
  read(request) {
    const envelope = readBody(request, envelopeSchema);
    if (envelope.kind === 'invalid') return envelope;
    const told = { deliveryId: envelope.value.id, event: envelope.value.eventType };
    if (told.event !== 'git.push') {
      return { kind: 'ignored', ...told, reason: `event ${told.event} is not used (used: git.push)` };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') {
      const short = readBody(request, shortSchema);
      const isShort = short.kind === 'read' && short.value.resource?.refUpdates === undefined;
      return isShort ? invalid('choose "All" for the resource details to send of the service hook') : body;
    }
    const { refUpdates, repository } = body.value.resource;
    const { name, remoteUrl, project } = repository;
    const fullName = project === undefined ? name : `${project.name}/_git/${name}`;
    const hint = { fullName, urls: [remoteUrl] };
    const pushes = refUpdates.map(({ name: ref, oldObjectId: before, newObjectId: after }) => ({
      repository: hint,
      ref,
      before,
      after,
    }));
    // The id in the body is that of the event.
    return { kind: 'pushes', ...told, pushes, stamped: true };
  },
};
