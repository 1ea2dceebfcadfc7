import type { LiveObject } from '../model/object.ts';
import { pathsOutside, type Finding } from './compare-fields.ts';
import { knownControllers, type Owner } from '../field-owners.ts';
import { childrenOf, describePath, isMember, nodeAt, valueAt, type FieldSet } from '../field-set.ts';

/** Leaves and list items outside ours whose only owners are no controllers that we know; status left out. */
export function foreignFields(desired: FieldSet, others: readonly Owner[], live: LiveObject): Finding[] {
  const known = others.filter(({ manager }) => knownControllers.has(manager));
  const findings = new Map<string, Finding>();
  for (const { manager, fields } of others) {
    if (knownControllers.has(manager)) continue;
    for (const path of pathsOutside(withoutStatus(fields), desired, [])) {
      const value = valueAt(live, path);
      const isTheirs = known.some((owner) => isMember(nodeAt(owner.fields, path)));
      if (value !== undefined && !isTheirs)
        findings.set(describePath(path), { class: 'foreign', path, live: value });
    }
  }
  return [...findings.values()];
}

function withoutStatus(fields: FieldSet): FieldSet {
  return Object.fromEntries(childrenOf(fields).filter(([edge]) => edge !== 'f:status'));
}
