import * as z from 'zod';
import type { ApiResource } from '../core/ports.ts';

/** Both discovery endpoints; the core group has one of its own. */
export const discoveryPaths = ['/api', '/apis'] as const;

/** Aggregated discovery: every group, version and resource in one answer each (stable since Kubernetes 1.30). */
export const discoveryAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const resourceSchema = z.object({
  resource: z.string(),
  responseKind: z.object({ kind: z.string() }).nullish(),
  scope: z.enum(['Cluster', 'Namespaced']),
  verbs: z.array(z.string()).nullish(),
});

const discoverySchema = z.object({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string().optional() }).optional(),
      versions: z.array(z.object({ version: z.string(), resources: z.array(resourceSchema).nullish() })),
    }),
  ),
});

/** Resources of one discovery answer, in the server's order of preference; undefined when it is another document. */
export function resourcesIn(body: unknown): ApiResource[] | undefined {
  const parsed = discoverySchema.safeParse(body);
  return parsed.data?.items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources }) =>
      (resources ?? []).flatMap(({ resource, responseKind, scope, verbs }) =>
        responseKind === null || responseKind === undefined
          ? []
          : [
              {
                group: metadata?.name ?? '',
                version,
                kind: responseKind.kind,
                plural: resource,
                namespaced: scope === 'Namespaced',
                verbs: verbs ?? [],
              },
            ],
      ),
    ),
  );
}
