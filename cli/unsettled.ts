import { describeRef } from '../core/model/object.ts';
import type { RunRecord } from '../core/model/run.ts';
import { clipped, coloured, table } from './report.ts';

/** Of so many objects each is named; `-o json` has them all. */
const mostNamed = 10;
const longestMessage = 160;

/** What a target waits for: an object, its status, and why, in the words of the object. */
interface Unsettled {
  readonly status: string;
  readonly object: string;
  readonly why: string;
}

function unsettledIn({ health }: RunRecord): readonly Unsettled[] {
  return (health?.objects ?? [])
    .filter(({ status }) => status !== 'Healthy' && status !== 'Suspended')
    .map(({ status, ref, reason, message }) => {
      const why = clipped(message === '' ? reason : message, longestMessage);
      return { status, object: describeRef(ref), why };
    });
}

/** A line for each object that is waited for; empty when there is none, or nothing is known of them. */
export function waitingLines(record: RunRecord): readonly string[] {
  const all = unsettledIn(record);
  const shown = all.slice(0, mostNamed);
  const lines = shown.map(({ status, object, why }) => `waits for ${object}: ${status}, ${why}`);
  return all.length > shown.length ? [...lines, `and for ${all.length - shown.length} more`] : lines;
}

/** The same as a table; empty when there is none. */
export function unsettledTable(record: RunRecord): string {
  const all = unsettledIn(record);
  if (all.length === 0) return '';
  const rows = all.slice(0, mostNamed).map(({ status, object, why }) => [coloured(status), object, why]);
  const more = all.length > rows.length ? `\n… and ${all.length - rows.length} more` : '';
  return `${table(['HEALTH', 'OBJECT', 'MESSAGE'], rows)}${more}`;
}
