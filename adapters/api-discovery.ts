import * as z from 'zod';
import { Blocked } from '../core/errors.ts';
import type { ApiResource, Clock } from '../core/ports.ts';
import type { ApiResponse } from './api-answer.ts';

/** Both discovery endpoints; the core group has one of its own. */
const discoveryPaths = ['/api', '/apis'] as const;

/** Aggregated discovery: every group, version and resource in one answer each (stable since Kubernetes 1.30). */
const discoveryAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

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

/** A GET of a path; answers 304 when the document is still that of the ETag. */
type Ask = (path: string, accept: string, unless: string | undefined) => Promise<ApiResponse>;

interface Known {
  readonly etag: string | undefined;
  readonly resources: readonly ApiResource[];
}

/** How long an answer stands for other connections of this process: the runs of one push begin together. */
const freshMs = 2_000;

/**
 * What one cluster serves, remembered between connections: for a moment as it is, then by the ETag of the server's
 * answer, which gets 304 without a body where nothing changed. Whoever misses a kind asks with `refresh`.
 */
export class Discovery {
  readonly #known = new Map<string, Known>();
  readonly #clock: Pick<Clock, 'now'>;
  #latest: { readonly at: number; readonly resources: readonly ApiResource[] } | undefined;
  #expiries = 0;

  constructor(clock: Pick<Clock, 'now'> = Date) {
    this.#clock = clock;
  }

  /** Throws Blocked for a server older than Kubernetes 1.30. */
  async resources(
    subject: string,
    ask: Ask,
    { refresh = false }: { readonly refresh?: boolean } = {},
  ): Promise<readonly ApiResource[]> {
    const at = this.#clock.now();
    const expiries = this.#expiries;
    if (!refresh && this.#latest !== undefined && at - this.#latest.at < freshMs)
      return this.#latest.resources;
    const answers = await Promise.all(discoveryPaths.map(async (path) => this.#document(subject, path, ask)));
    const resources = answers.flat();
    if (expiries === this.#expiries) this.#latest = { at, resources };
    return resources;
  }

  /** We changed what is served, or found it changed: the next connection asks. */
  expire(): void {
    this.#expiries += 1;
    this.#latest = undefined;
  }

  async #document(subject: string, path: string, ask: Ask): Promise<readonly ApiResource[]> {
    const known = this.#known.get(path);
    const { status, body, etag } = await ask(path, discoveryAccept, known?.etag);
    if (status === 304 && known !== undefined) return known.resources;
    const resources = resourcesIn(body);
    if (resources === undefined) {
      const message = 'does not speak aggregated discovery; Kubernetes 1.30 or newer is needed';
      throw new Blocked({ subject, message });
    }
    this.#known.set(path, { etag, resources });
    return resources;
  }
}

/** Resources of one discovery answer, in the server's order of preference; undefined when it is another document. */
function resourcesIn(body: unknown): ApiResource[] | undefined {
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
