/** Kinds of parts, by how the logical ids of their resources end. */
type PartKind = 'Queue' | 'DeadLetters' | 'Function';

/**
 * Name of a queue or function as alarms and people say it, from the logical id of its resource, whatever the app calls its
 * construct: `…FunctionsSweepFunction0A…` is `sweep`, `…ImagesQueue0A…` `images`, `…NetworkvaultaRunsDeadLetters0A…`
 * `vault-a-runs`. Undefined for what is no such part. `networks`: their names, of which logical ids keep letters and digits.
 */
export function partName(logicalId: string, kind: PartKind, networks: readonly string[]): string | undefined {
  if (kind === 'DeadLetters' && /QueuesUndelivered[0-9A-F]{8}$/.test(logicalId)) return 'undelivered';
  const form = new RegExp(`(?:Network([A-Za-z0-9]+?))?([A-Z][a-z]+)${kind}[0-9A-F]{8}$`);
  const [, short, part] = form.exec(logicalId) ?? [];
  if (part === undefined) return undefined;
  const network = networks.find((name) => name.replaceAll(/[^A-Za-z0-9]/g, '') === short) ?? short;
  return [network, part.toLowerCase()].filter((word) => word !== undefined && word !== '').join('-');
}
