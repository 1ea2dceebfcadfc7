import { keyedDigest } from '../../core/model/digest.ts';
import type { LiveObject } from '../../core/model/object.ts';
import type { Cluster } from '../../core/ports.ts';

export type ListOptions = NonNullable<Parameters<Cluster['list']>[2]>;

interface Selection extends ListOptions {
  readonly apiVersion: string;
  readonly kind: string;
  /** `label=value`, or `label` for whatever has one; empty for everything. */
  readonly selector: string;
}

/** What a list gives of all that is stored. */
export function selected(
  stored: Iterable<{ readonly object: LiveObject }>,
  { apiVersion, kind, selector, namespace, most = Infinity, metadataOnly = false }: Selection,
): readonly LiveObject[] {
  const [label = '', value] = selector.split('=');
  const isSelected = ({ labels = {} }: LiveObject['metadata']): boolean =>
    selector === '' || (value === undefined ? label in labels : labels[label] === value);
  return [...stored]
    .map(({ object }) => object)
    .filter((object) => object.apiVersion === apiVersion && object.kind === kind)
    .filter(({ metadata }) => isSelected(metadata))
    .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
    .slice(0, most + 1)
    .map((object) => (metadataOnly ? { apiVersion, kind, metadata: object.metadata } : object));
}

const digests = new WeakMap<readonly LiveObject[], { readonly key: string; readonly digest: string }>();

/** Taken once of a list that is given out again and again. */
export function digestOfList(items: readonly LiveObject[], digestKey: Uint8Array): string {
  const key = String(digestKey);
  const known = digests.get(items);
  if (known?.key === key) return known.digest;
  const digest = keyedDigest(digestKey, JSON.stringify(items));
  digests.set(items, { key, digest });
  return digest;
}
