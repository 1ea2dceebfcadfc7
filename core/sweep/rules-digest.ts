import { digestOf } from '../model/digest.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { shortDigest } from './glance.ts';
import type { TargetState } from './target-state.ts';

/** Of everything that a verdict on the objects of a target depends on, but for the objects themselves. */
export function rulesDigest({ pointer, inventory }: TargetState): string {
  const { drift, rules, health, impersonate } = pointer.settings;
  const accepted = inventory?.accepted ?? [];
  // As text: the documents were parsed by schemas that keep the order of members.
  return shortDigest(digestOf([drift, JSON.stringify([rules, health, impersonate, accepted])]));
}

/** A rule with `when` may look at the status, which changes without anything else. */
export function isVersionOnly({ pointer, inventory }: TargetState): boolean {
  const accepted = inventory?.accepted.map(({ rule }) => rule) ?? [];
  return [...pointer.settings.rules, ...accepted].some(({ when }) => when !== undefined);
}

/** Of what an object is compared with: as it was last applied, and the fields of others that do not count. */
export function desiredDigest({ desiredDigest: desired = '', baseline }: InventoryEntry): string {
  return shortDigest(baseline === undefined ? desired : digestOf([desired, ...baseline]));
}
