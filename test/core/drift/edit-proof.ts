import assert from 'node:assert/strict';
import { valueAt } from '../../../core/field-set.ts';
import { jsonEqual } from '../../../core/model/json.ts';
import { describeRef, refOf, type KubeObject } from '../../../core/model/object.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { pick, randomEdit, seeded } from './field-edits.ts';
import type { Workbench } from './workbench.ts';

export interface Proof {
  /** Edits that changed a value on the server, and how many of them were found at their path. */
  readonly edits: number;
  readonly found: number;
  /** What was missed, in words. */
  readonly missed: readonly string[];
  /** Edits that the server refused, or that it defaulted back to what was there. */
  readonly refused: number;
}

/** Makes that many single-field edits by another manager, one after the other, and looks for each; then puts it back. */
export async function proveEdits(
  bench: Workbench,
  client: ClusterClient,
  objects: readonly KubeObject[],
  { edits, seed }: { readonly edits: number; readonly seed: number },
): Promise<Proof> {
  const random = seeded(seed);
  const missed: string[] = [];
  let [made, refused] = [0, 0];
  while (made < edits) {
    assert.ok(refused < edits * 20, `${refused} of ${refused + made} edits were refused`);
    const object = pick(objects, random);
    assert.ok(object !== undefined);
    const path = await bench.pathOf(object);
    const live = await bench.apply(object);
    const edit = randomEdit(live, random);
    if (edit === undefined) continue;
    const answer = await client.ask('PATCH', `${path}?fieldManager=somebody`, {
      body: edit.patch,
      contentType: 'application/json-patch+json',
    });
    if (answer.status !== 200 || jsonEqual(valueAt(answer.body, edit.path), edit.before)) {
      refused += 1;
      continue;
    }
    made += 1;
    const verdict = await bench.judge(object);
    const fields = verdict.kind === 'drifted' ? verdict.drift.fields : [];
    // Long values are told at the place inside them that differs.
    const isFound = fields.some(
      (field) => (field.class === 'changed' || field.class === 'removed') && field.path.startsWith(edit.name),
    );
    if (!isFound) {
      missed.push(
        `${describeRef(refOf(object))} ${edit.name} by ${JSON.stringify(edit.patch)}: ${JSON.stringify(verdict)}`,
      );
    }
  }
  for (const object of objects) await bench.apply(object);
  return { edits: made, found: made - missed.length, missed, refused };
}
