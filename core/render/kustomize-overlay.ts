import type { KustomizeOptions } from '../model/kustomize-options.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { YamlDocument } from '../yaml/read-yaml.ts';
import { joinPath, relativePath } from './kustomize-path.ts';

/**
 * The kustomization that an Application puts on top of its folder, its paths relative to that folder; undefined when
 * it asks for nothing that needs one.
 */
export function overlayOf(options: KustomizeOptions): JsonObject | undefined {
  const { helm: _helm, commonMetadata = {}, components = [], ...fields } = options;
  const transformers = [
    ...transformer('LabelTransformer', 'labels', commonMetadata.labels),
    ...transformer('AnnotationsTransformer', 'annotations', commonMetadata.annotations),
  ];
  const overlay = {
    ...fields,
    ...(components.length > 0 && { components }),
    ...(transformers.length > 0 && { transformers }),
  };
  return Object.keys(overlay).length === 0 ? undefined : { resources: ['.'], ...overlay };
}

/** Of the objects alone: kustomize's own commonAnnotations would reach into pod templates, and roll them out. */
function transformer(
  kind: string,
  field: 'labels' | 'annotations',
  values: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  if (values === undefined || Object.keys(values).length === 0) return [];
  const fieldSpecs = [{ path: `metadata/${field}`, create: true }];
  const config = { apiVersion: 'builtin', kind, metadata: { name: field }, [field]: values, fieldSpecs };
  // Of several lines, which is how kustomize tells it from a path.
  return [JSON.stringify(config, null, 2)];
}

/** An overlay as if it had been read: its places are fields of the Application. */
export function overlayDocument(overlay: JsonObject): YamlDocument {
  const value: Json = overlay;
  return { value, place: (path = []) => ['source.kustomize', ...path].join('.') };
}

/** The same folders, named from another place. */
export function rerooted(overlay: JsonObject, from: string, to: string): JsonObject {
  const moved = (entry: Json) =>
    typeof entry === 'string' ? relativePath(to, joinPath(from, entry) ?? entry) : entry;
  const lists = ['resources', 'components'].flatMap((field) => {
    const entries = overlay[field];
    return Array.isArray(entries) ? [[field, entries.map(moved)] as const] : [];
  });
  return { ...overlay, ...Object.fromEntries(lists) };
}
