import type { SecretVersions } from '../core/model/secret-reference.ts';
import { suspensionOf, type Suspension } from '../core/model/suspension.ts';
import { targetKey } from '../core/model/target.ts';
import { readSuspensions } from '../core/suspend.ts';
import { stateOf, type TargetState, type TargetView } from '../core/view/target-view.ts';
import { age, clipped, coloured, short, table, type Report } from './report.ts';
import type { Session } from './session.ts';
import { readTargets, type Selection } from './targets.ts';

/** One line of `trueup status`; times are ISO 8601. */
interface Row extends TargetState {
  readonly cluster: string;
  readonly application: string;
  readonly revision: string;
  readonly subject: string;
  readonly author: string;
  /** Of the values that its Secrets refer to, as last applied. */
  readonly secretVersions?: SecretVersions;
  readonly suspension?: Suspension;
  /** Address of the pull request that it is a preview environment for. */
  readonly pullRequest?: string;
}

/** Every target: which commit it should have, whether it has it, and how it is. */
export async function status(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  selection: Selection,
): Promise<Report> {
  const now = clock.now();
  const suspensions = await readSuspensions(store);
  const rows = (await readTargets(store, selection)).map((view) =>
    rowOf(view, suspensionOf(suspensions, view.target, now), now),
  );
  const lines = rows.map((row) => [
    row.cluster,
    row.application,
    row.revision,
    clipped(`${row.subject} (${row.author})`, 48),
    coloured(row.sync),
    coloured(row.health),
    String(row.drift),
    age(row.checkedAt, now),
  ]);
  const head = ['CLUSTER', 'APPLICATION', 'REVISION', 'COMMIT', 'SYNC', 'HEALTH', 'DRIFT', 'CHECKED'];
  const messages = messagesOf(rows);
  const text = [table(head, lines), ...(messages.length === 0 ? [] : ['', ...messages])].join('\n');
  return { data: rows, text, names: rows.map(targetKey) };
}

/** One line for each target; of those on one cluster that have the same to say, one for all. */
function messagesOf(rows: readonly Row[]): readonly string[] {
  const told = rows.filter(({ message }) => message !== '');
  const alike = Map.groupBy(told, ({ cluster, message }) => `${cluster}\n${message}`);
  return [...alike.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { cluster, application, message } = first;
    const names =
      others.length === 0 ? application : `{${[first, ...others].map((row) => row.application).join(',')}}`;
    return [`${cluster}/${names}: ${message}`];
  });
}

function rowOf(view: TargetView, suspension: Suspension | undefined, now: number): Row {
  const { target, pointer } = view;
  return {
    ...target,
    revision: short(pointer.commit.sha),
    subject: pointer.commit.subject,
    author: pointer.commit.author.name,
    ...stateOf(view, suspension, now),
    ...versionsOf(view),
    ...(suspension !== undefined && { suspension }),
    ...(pointer.settings.environment && { pullRequest: pointer.settings.environment.url }),
  };
}

function versionsOf({ inventory }: TargetView): Pick<Row, 'secretVersions'> {
  const entries = Object.values(inventory?.entries ?? {});
  const versions = entries.flatMap(({ secretVersions }) => Object.entries(secretVersions ?? {}));
  return versions.length === 0 ? {} : { secretVersions: Object.fromEntries(versions) };
}
