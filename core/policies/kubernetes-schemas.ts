import type { JsonObject } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';

/** When a version of an API is deprecated and removed, as the API server itself warns: `1.25`. */
export interface ApiLife {
  readonly deprecated?: string;
  readonly removed?: string;
  /** `apps/v1 Deployment`. */
  readonly instead?: string;
}

/**
 * What is known of Kubernetes' own kinds in each of its versions. `npm run kubernetes-data` makes it of the published
 * OpenAPI definitions and of the lifetimes in the types of the API.
 */
export interface KubernetesSchemas {
  /** `1.30`, oldest first. */
  readonly versions: readonly string[];
  /** By `group/version/Kind`. */
  readonly lives: Readonly<Record<string, ApiLife>>;
  /** Name of the definition by `group/version/Kind`. */
  readonly kinds: Readonly<Record<string, string>>;
  /** By name, and by the version since which it is so; null: gone. */
  readonly definitions: Readonly<Record<string, Readonly<Record<string, JsonObject | null>>>>;
}

/** `group/version/Kind`, `v1/Pod` of the core group. */
export function kindKey({ apiVersion, kind }: KubeObject): string {
  return `${apiVersion}/${kind}`;
}

/** Minor version of Kubernetes: 34 of `1.34` and of `v1.34.2-eks-a1b2c3d`; undefined for what is none. */
export function minorOf(version: string | undefined): number | undefined {
  const minor = /^v?1\.(\d+)(?:[.+-]|$)/.exec(version ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** The definitions as that version of Kubernetes has them; undefined for one that it does not have. */
export function definitionsAt(
  { definitions }: KubernetesSchemas,
  minor: number,
): (name: string) => JsonObject | undefined {
  const found = new Map<string, JsonObject | undefined>();
  return (name) => {
    if (found.has(name)) return found.get(name);
    const since = Object.hasOwn(definitions, name) ? Object.entries(definitions[name] ?? {}) : [];
    const last = since.findLast(([version]) => (minorOf(version) ?? 0) <= minor);
    const definition = last?.[1] ?? undefined;
    found.set(name, definition);
    return definition;
  };
}
