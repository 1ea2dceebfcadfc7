import * as z from 'zod';
import { whoSchema } from './drift.ts';

/** One write to a cluster as its audit log has it: who it was, and to what. Never a body. */
export const auditWriteSchema = z.object({
  who: whoSchema,
  group: z.string(),
  resource: z.string().describe('plural name of the kind, such as `deployments`; the log has no other'),
  subresource: z.string().optional(),
  namespace: z.string().optional(),
  name: z
    .string()
    .optional()
    .describe('absent for `deletecollection`, which meets the whole kind in its namespace'),
  fieldManager: z
    .string()
    .describe('as the request named it; the server takes the user agent where it did not'),
  endedAt: z.string().describe('when the answer was complete, ISO 8601; `who.at` is when the request came'),
});
export type AuditWrite = z.infer<typeof auditWriteSchema>;

/** Where an object is, as an audit log calls it. */
export interface LoggedPlace {
  readonly group: string;
  /** Plural name of the kind. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Which writes are our own; both as the audit log spells them. */
export interface OurRequests {
  readonly userAgents: readonly string[];
  readonly users: readonly string[];
}

/** How our own client calls itself. */
export const ourRequests: OurRequests = { userAgents: ['trueup'], users: [] };

const userSchema = z.object({ username: z.string().default(''), groups: z.array(z.string()).default([]) });

/** An event of audit.k8s.io/v1, as far as it is read: all else, bodies first of all, is dropped here. */
const auditEventSchema = z.object({
  auditID: z.string(),
  stage: z.literal('ResponseComplete'),
  requestURI: z.string().default(''),
  verb: z.enum(['create', 'update', 'patch', 'delete', 'deletecollection']),
  user: userSchema,
  impersonatedUser: userSchema.optional(),
  sourceIPs: z.array(z.string()).default([]),
  userAgent: z.string().default(''),
  objectRef: z.object({
    resource: z.string(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    apiGroup: z.string().default(''),
    subresource: z.string().optional(),
  }),
  responseStatus: z.object({ code: z.number().int().min(200).max(299) }),
  requestReceivedTimestamp: z.string(),
  stageTimestamp: z.string(),
  /** Only the name that the server gave (`generateName`), and whether a deletion was a dry run. */
  responseObject: z
    .object({ metadata: z.object({ name: z.string() }) })
    .optional()
    .catch(undefined),
  requestObject: z
    .object({ dryRun: z.array(z.string()) })
    .optional()
    .catch(undefined),
});

/**
 * The write that an audit event tells of. Undefined for everything else: reads, refusals, dry runs, status, our own
 * requests, and the controllers that come with a cluster.
 */
export function auditWriteOf(event: unknown, ours: OurRequests = ourRequests): AuditWrite | undefined {
  const parsed = auditEventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const { verb, user, impersonatedUser, userAgent, objectRef, requestURI, ...rest } = parsed.data;
  const isDryRun = /[?&]dryRun=/.test(requestURI) || (rest.requestObject?.dryRun ?? []).length > 0;
  const isOurs = ours.users.includes(user.username) || ours.userAgents.includes(programOf(userAgent));
  if (isDryRun || isOurs || isController(user.username) || !isContent(objectRef.subresource))
    return undefined;
  const { apiGroup: group, resource, subresource, name = rest.responseObject?.metadata.name } = objectRef;
  // The log puts a Namespace into itself.
  const namespace = group === '' && resource === 'namespaces' ? undefined : objectRef.namespace;
  return {
    who: {
      user: user.username,
      ...(impersonatedUser === undefined ? {} : { impersonated: impersonatedUser.username }),
      groups: user.groups,
      addresses: rest.sourceIPs,
      ...(userAgent === '' ? {} : { userAgent }),
      verb,
      at: rest.requestReceivedTimestamp,
      auditId: rest.auditID,
    },
    group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined || verb === 'deletecollection' ? {} : { name }),
    fieldManager: managerIn(requestURI) ?? programOf(userAgent),
    endedAt: rest.stageTimestamp,
  };
}

/** Whether a write is one to this object, or to all of its kind. */
export function isWriteTo(write: AuditWrite, place: LoggedPlace): boolean {
  if (write.group !== place.group || write.resource !== place.resource) return false;
  // A deletecollection names nobody: everything of the kind is suspect, of all namespaces where it names none.
  if (write.who.verb === 'deletecollection') return (write.namespace ?? place.namespace) === place.namespace;
  return (write.namespace ?? '') === (place.namespace ?? '') && write.name === place.name;
}

/** Whoever deletes a namespace or a definition deletes what is in it; the controller that carries it out is only the tool. */
export function takesAlong({ who, group, resource, name }: AuditWrite, place: LoggedPlace): boolean {
  if (who.verb !== 'delete' || name === undefined) return false;
  if (group === '' && resource === 'namespaces') return name === place.namespace;
  const isDefinition = group === 'apiextensions.k8s.io' && resource === 'customresourcedefinitions';
  return isDefinition && name === `${place.resource}.${place.group}`;
}

/** Whether a write may meet more than the one object that it names. */
export function isWide({ who, group, resource }: AuditWrite): boolean {
  if (who.verb === 'deletecollection') return true;
  const isOwner = `${group}/${resource}` === '/namespaces' || resource === 'customresourcedefinitions';
  return who.verb === 'delete' && isOwner;
}

/** `kubectl scale` writes the object through a subresource of it; status, logins and bindings are none of its wishes. */
function isContent(subresource: string | undefined): boolean {
  return subresource === undefined || ['', 'scale', 'ephemeralcontainers', 'resize'].includes(subresource);
}

const people = new Set(['system:admin', 'system:anonymous']);

/** Parts of the cluster itself. Service accounts outside kube-system are whatever people installed: rivals, that is. */
function isController(user: string): boolean {
  if (people.has(user)) return false;
  if (user.startsWith('system:serviceaccount:')) return user.startsWith('system:serviceaccount:kube-system:');
  return user.startsWith('system:') || user.startsWith('eks:');
}

/** `kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094` is `kubectl`. */
function programOf(userAgent: string): string {
  return userAgent.split('/', 1)[0] ?? '';
}

function managerIn(requestURI: string): string | undefined {
  const value = /[?&]fieldManager=([^&]*)/.exec(requestURI)?.[1];
  return value === undefined || value === '' ? undefined : decoded(value);
}

/** Half of an escape is no escape; the name is only compared. */
function decoded(value: string): string {
  return /%(?![0-9a-f]{2})/i.test(value) ? value : decodeURIComponent(value.replaceAll('+', ' '));
}
