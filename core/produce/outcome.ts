import type { Fault } from '../errors.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { ApplicationPlan } from './plan-pointers.ts';

/** What came of a commit, in a sentence for the delivery ledger. `moved`: pointers that runs must answer to. */
export function describeOutcome(
  sha: string,
  plans: readonly ApplicationPlan[],
  moved: readonly DesiredPointer[],
  faults: readonly Fault[],
): string {
  const inState = (state: DesiredPointer['state']) =>
    byApplication(moved.filter((one) => one.state === state));
  const followed = plans.filter(({ verdict }) => verdict === 'followed');
  const still = followed.filter(({ name }) => moved.every(({ target }) => target.application !== name));
  const parts = [
    counted('changed', inState('present')),
    counted('gone', inState('gone')),
    counted(
      'unchanged',
      still.filter(({ clusters }) => clusters.length > 0).map(({ name }) => name),
    ),
    counted(
      'without a matching cluster',
      still.filter(({ clusters }) => clusters.length === 0).map(({ name }) => name),
    ),
    counted(
      'failed',
      plans.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name),
    ),
  ].filter((part) => part !== '');
  const why = faults.map(({ subject, message }) => `; ${subject}: ${message}`).slice(0, 3);
  const more = faults.length > why.length ? `; and ${faults.length - why.length} more faults` : '';
  const what = /^0+$/.test(sha) ? 'no commit yet' : `commit ${sha.slice(0, 7)}`;
  return `${what}: ${parts.join(', ') || 'no applications'}${why.join('')}${more}`;
}

/** `web on dev, prod` */
function byApplication(pointers: readonly DesiredPointer[]): string[] {
  const clusters = Map.groupBy(pointers, ({ target }) => target.application);
  return [...clusters].map(
    ([application, list]) => `${application} on ${list.map(({ target }) => target.cluster).join(', ')}`,
  );
}

const namesShown = 10;

function counted(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, namesShown).join('; ');
  return `${names.length} ${what} (${shown}${names.length > namesShown ? '; …' : ''})`;
}
