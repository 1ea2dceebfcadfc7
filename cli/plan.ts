import type { Json } from '../core/model/json.ts';
import { describeRef, groupOf } from '../core/model/object.ts';
import type { FieldChange, Preview, PreviewedChange } from '../core/model/preview.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { exitCodes } from './cli-error.ts';
import { readWanted, tellingPlaces, type ApplyOptions } from './local-source.ts';
import type { LocalSession } from './local-session.ts';
import { sessionFacts } from './local-facts.ts';
import { clipped, coloured, type Report } from './report.ts';

const longestValue = 60;
/** So many fields of one object are shown; `-o json` has them all. */
const mostFields = 20;

/** In the order in which they are summed up. */
const actions = ['create', 'update', 'recreate', 'prune', 'mark', 'orphan', 'blocked', 'leave'] as const;

/** What an apply would change, object by object and field by field; changes nothing. */
export async function plan(session: LocalSession, path: string, options: ApplyOptions): Promise<Report> {
  const { worktree, charts, name, source, namespace, settings } = await readWanted(path, options);
  const target = { cluster: session.cluster, application: name };
  const { preview } = await import('../core/preview.ts');
  const wish = {
    requestedBy: await session.whoAmI(),
    ...(options.confirmPrune !== undefined && { confirmPrune: options.confirmPrune }),
    ...(options.prune === true ? {} : { keepUndesired: true }),
  };
  const facts = sessionFacts(session, settings.impersonate);
  const declaration = { target, worktree, charts, facts, source, namespace, settings };
  return reportOf(
    target,
    await tellingPlaces(worktree, async () => preview(declaration, wish, session.ports)),
  );
}

function reportOf(target: Target, { changes, refusal }: Preview): Report {
  const shown = changes.filter(({ action }) => action !== 'leave');
  const counts = actions.map(
    (action) => [action, changes.filter((one) => one.action === action).length] as const,
  );
  const told = counts.filter(([, count]) => count > 0).map(([action, count]) => `${count} ${words[action]}`);
  const summary = `${targetKey(target)}: ${told.length === 0 ? 'no objects' : told.join(', ')}`;
  const kept = changes.filter(({ action, why }) => action === 'leave' && isKept(why)).length;
  const text = [...shown.flatMap(changeLines), ...(shown.length === 0 ? [] : ['']), summary].join('\n');
  const notes = [
    ...(refusal === undefined ? [] : [`nothing would be done: ${refusal}`]),
    ...(kept > 0 ? [`${kept} objects would be pruned with --prune`] : []),
    ...adoptNote(shown),
  ];
  return {
    data: {
      app: target.application,
      cluster: target.cluster,
      changes: changes.map(shape),
      summary: Object.fromEntries(counts),
      ...(refusal !== undefined && { refusal }),
    },
    text,
    notes,
    exitCode: shown.length > 0 || refusal !== undefined ? exitCodes.found : exitCodes.ok,
  };
}

const words: Readonly<Record<(typeof actions)[number], string>> = {
  create: 'to create',
  update: 'to update',
  recreate: 'to delete and create anew',
  prune: 'to prune',
  mark: 'to prune later',
  orphan: 'to leave alone from now on',
  blocked: 'blocked',
  leave: 'as they are',
};

/** Why an object that is not desired any more stays where nobody said --prune. */
export function isKept(why: string): boolean {
  return why.endsWith('kept until a run may prune');
}

/** What the words of a refusal come to at a terminal. */
export function adoptNote(changes: readonly { readonly action: string; readonly why: string }[]) {
  const foreign = changes.filter(({ action, why }) => action === 'blocked' && why.includes('adopt: true'));
  return foreign.length === 0 ? [] : [`${foreign.length} would be taken over with --adopt`];
}

/** What `-o json` promises (docs/reference/cli.md). */
function shape({ action, ref, apiVersion, why, fields }: PreviewedChange) {
  const { kind, namespace = '', name, group } = ref;
  return {
    action,
    ...(apiVersion === undefined ? { group } : { apiVersion, group: groupOf(apiVersion) }),
    kind,
    namespace,
    name,
    why,
    fields,
  };
}

function changeLines({ action, ref, why, fields }: PreviewedChange): string[] {
  const head = `${coloured(action)} ${describeRef(ref)}: ${why}`;
  const more = fields.length > mostFields ? [`    … and ${fields.length - mostFields} more fields`] : [];
  return [head, ...fields.slice(0, mostFields).map(fieldLine), ...more];
}

function fieldLine({ path, live, desired }: FieldChange): string {
  const isSame = JSON.stringify(live) === JSON.stringify(desired);
  return isSame
    ? `    ${path}: ${value(live)} (only its owner changes)`
    : `    ${path}: ${value(live)} → ${value(desired)}`;
}

function value(json: Json | undefined): string {
  return json === undefined ? '(none)' : clipped(JSON.stringify(json), longestValue);
}
