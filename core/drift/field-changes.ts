import { ourEntry } from '../field-owners.ts';
import { describePath } from '../field-set.ts';
import type { LiveObject } from '../model/object.ts';
import type { FieldChange } from '../model/preview.ts';
import { changedFields, droppedFields } from './compare-fields.ts';
import { ownFields } from './object-drift.ts';
import { showDifference, type Mask } from './shown-value.ts';

/**
 * What an apply would change of an object: `dryRun` is the server's answer to a dry run of it, made of the same version
 * of the object as `live`. Values of Secrets are masked. A field whose ownership alone would change is named with equal
 * values.
 */
export function changesOf(live: LiveObject, dryRun: LiveObject, mask: Mask): readonly FieldChange[] {
  const desired = ourEntry(dryRun);
  if (desired === undefined) return [];
  const sets = { desired: desired.fields, own: ownFields(live, desired) };
  const findings = [...changedFields(sets, dryRun, live), ...droppedFields(sets, dryRun, live)];
  return findings.map((finding) => {
    const shown = showDifference(live, finding, mask);
    return {
      path: describePath(shown.path),
      ...(shown.live === undefined ? {} : { live: shown.live }),
      ...(shown.desired === undefined ? {} : { desired: shown.desired }),
    };
  });
}
