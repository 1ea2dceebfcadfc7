import * as z from 'zod';
import { kubeObjectSchema } from './object.ts';

/** As a namespace: all of them. */
export const everyNamespace = '*';

/** What a chart may look up: one object, or without a name all of one kind, in one namespace or in all. */
const lookupDeclarationSchema = z.strictObject({
  apiVersion: z.string().regex(/^(?:[a-z0-9.-]+\/)?v[0-9][a-z0-9]*$/, 'must be such as v1 or apps/v1'),
  kind: z.string().regex(/^[A-Z][A-Za-z0-9]*$/, 'must be a kind such as Secret'),
  namespace: z
    .string()
    .regex(/^(?:[a-z0-9][-a-z0-9]{0,62}|\*)$/, 'must be the name of a namespace, or "*"')
    .exactOptional()
    .describe(
      'default: that of the application; "*": all, for lists; of no meaning for kinds without namespaces',
    ),
  name: z
    .string()
    .regex(/^[^/%\s]{1,253}$/, 'must be the name of an object')
    .exactOptional()
    .describe('left out: all objects of that kind in that namespace'),
});
export type LookupDeclaration = z.infer<typeof lookupDeclarationSchema>;

export const lookupDeclarationsSchema = z
  .array(
    lookupDeclarationSchema.refine(
      ({ namespace, name }) => namespace !== everyNamespace || name === undefined,
      {
        path: ['name'],
        error: 'is of one object, which has one namespace and not "*"',
      },
    ),
  )
  .min(1)
  .max(20);

/** What is declared, with the namespace that it holds for. */
export interface Lookup {
  readonly apiVersion: string;
  readonly kind: string;
  /** Or `everyNamespace`. */
  readonly namespace: string;
  /** Absent: the list. */
  readonly name?: string;
}

/** As a template asks it: without a name for a list, without a namespace for all of them. */
export interface LookupQuestion {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `v1 Secret web/token`; a star for all names, and for all namespaces. */
export function lookupKey({ apiVersion, kind, namespace, name = '*' }: Lookup): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}

export function lookupsOf(
  declared: readonly LookupDeclaration[],
  namespaceOfApplication: string,
): readonly Lookup[] {
  return declared.map(({ namespace = namespaceOfApplication, ...rest }) => ({ ...rest, namespace }));
}

/** Which object it was, and in which state: never what is in it. */
const seenSchema = z.object({
  name: z.string(),
  namespace: z.string().exactOptional(),
  uid: z.string(),
  resourceVersion: z.string(),
});

export const seenLookupSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string().exactOptional(),
  seen: z.array(seenSchema).describe('empty: there was none'),
});

/** An object as templates find it; what is secret of a Secret (data and annotations) stands apart, encrypted. */
const storedSchema = z.object({ object: kubeObjectSchema, sealed: z.string().exactOptional() });

const answerSchema = z.discriminatedUnion('found', [
  z.object({
    found: z.literal('objects'),
    namespaced: z.boolean(),
    /** Of all that templates can read, secret values as keyed digests. */
    digest: z.string(),
    /** One for a name, none where there is no such object. */
    objects: z.array(storedSchema),
    seen: z.array(seenSchema),
    /** Data key of what is sealed; absent where nothing is. */
    wrappedKey: z.string().exactOptional(),
  }),
  /** It may not be read, is too large, or its kind is not served: `message` says what to do. */
  z.object({ found: z.literal('nothing'), message: z.string() }),
]);
export type LookupAnswer = z.infer<typeof answerSchema>;
export type StoredLookup = z.infer<typeof storedSchema>;

/** What the sweep last found of what one application may look up on one cluster. */
export const lookupRecordSchema = z.object({
  version: z.literal(1),
  /** As whom it was read, as JSON; empty for ourselves. Answers for another are none. */
  as: z.string(),
  /** By `lookupKey`. */
  answers: z.record(z.string(), answerSchema),
  /** When answers changed, newest last, and whether objects of the application itself did; the last few. */
  changes: z.array(z.object({ at: z.string(), own: z.boolean() })),
  /** Of what the application is rendered from besides, when the changes were counted. */
  made: z.string().exactOptional(),
  /** Its own objects changed again and again with each rendering: changes are not followed until `made` is another. */
  held: z.literal(true).exactOptional(),
});
export type LookupRecord = z.infer<typeof lookupRecordSchema>;

/** What an application wants looked up on a cluster. */
export const lookupWishSchema = z.object({
  lookups: z.array(
    z.object({
      apiVersion: z.string(),
      kind: z.string(),
      namespace: z.string(),
      name: z.string().exactOptional(),
    }),
  ),
  as: z.object({ user: z.string(), groups: z.array(z.string()) }).exactOptional(),
  /** Digest of all else that it is rendered from; absent while it never was. */
  made: z.string().exactOptional(),
});
export type LookupWish = z.infer<typeof lookupWishSchema>;
