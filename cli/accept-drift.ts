import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { acceptDrift } from '../core/accept.ts';
import { Stop, messageOf } from '../core/errors.ts';
import type { ObjectDrift } from '../core/model/drift.ts';
import { describeRef, refKey, type ObjectRef } from '../core/model/object.ts';
import type { Rule } from '../core/model/rule.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { addRule } from './accept.ts';
import { CliError } from './cli-error.ts';
import { viewDrift } from './drift.ts';
import { callersFolder, type RecordsSession } from './local-session.ts';
import type { Report } from './report.ts';
import { selectTargets, type Selection } from './targets.ts';

export interface AcceptOptions extends Selection {
  /** `Deployment/web` or `Deployment/shop/web`, or as the drift is told. */
  readonly object?: string;
  /** As the drift is told, or as a JSON pointer. */
  readonly field?: string;
  readonly reason?: string;
  /** Application file that the rules are written into. */
  readonly application?: string;
}

/** Takes open drift as it is: the narrowest rules go into the records, and into an Application file where one is named. */
export async function acceptOpenDrift(session: RecordsSession, options: AcceptOptions): Promise<Report> {
  const { app, field, application } = options;
  if (app === undefined) throw new CliError('--accept needs --app NAME: rules belong to one application.');
  const targets = await selectTargets(session.store, options);
  const by = await session.whoAmI();
  const reason = options.reason ?? `accepted by ${by}`;
  // Nobody is told of the end of an episode that a person has just ended themselves.
  const quiet = {
    bus: { publish: async () => undefined },
    metrics: { put: async () => undefined },
    config: { clusters: [] },
  };
  const accepted: { readonly target: Target; readonly rules: readonly Rule[] }[] = [];
  if (application !== undefined) await readText(application);
  for (const { target, object } of await meantIn(session, await drifting(session, targets), options)) {
    const rules = await acceptDrift({ ...session, ...quiet }, target, { by, reason, object, field });
    accepted.push({ target, rules });
  }
  if (accepted.length === 0) throw new CliError(`There is no open drift of ${app} to accept.`);
  const rules = uniqueRules(accepted.flatMap((one) => one.rules));
  if (application !== undefined) await writeRules(application, app, rules);
  const { dump } = await import('js-yaml');
  const where =
    application === undefined
      ? 'Put this into spec.rules of the Application, so that Git says it too:'
      : `Written into ${application}; commit it:`;
  const heads = accepted.map((one) => `${targetKey(one.target)}: accepted ${one.rules.length} drifts`);
  return {
    data: { accepted, application: application ?? null },
    text: [...heads, where, dump(rules).trimEnd()].join('\n'),
  };
}

async function drifting(session: RecordsSession, targets: readonly Target[]): Promise<readonly Target[]> {
  const { records } = await viewDrift(session, targets);
  const open = new Set(
    records.filter(({ state }) => state === 'open').map(({ target }) => targetKey(target)),
  );
  return targets.filter((target) => open.has(targetKey(target)));
}

interface Meant {
  readonly target: Target;
  /** Key of the one object; absent: all of them. */
  readonly object: string | undefined;
}

/**
 * Of which targets the object and the field that a person means have drifted; all targets where neither is named. Throws
 * CliError, before anything is accepted, where it is none on any target, or several objects on one.
 */
async function meantIn(
  session: RecordsSession,
  targets: readonly Target[],
  { object: named, field }: Pick<AcceptOptions, 'object' | 'field'>,
): Promise<readonly Meant[]> {
  if ((named === undefined && field === undefined) || targets.length === 0) {
    return targets.map((target) => ({ target, object: undefined }));
  }
  const { records } = await viewDrift(session, targets);
  const open = records.filter(({ state }) => state === 'open');
  const known = [...new Set(open.map(({ drift }) => `"${describeRef(drift.ref)}"`))].join(', ');
  const meant = targets.flatMap((target): readonly Meant[] => {
    const here = open.filter((record) => targetKey(record.target) === targetKey(target));
    const called = here.filter(({ drift }) => named === undefined || isCalled(drift.ref, named));
    const [object, ...more] = new Set(called.map(({ drift }) => refKey(drift.ref)));
    if (named !== undefined && more.length > 0) {
      throw new CliError(
        `--object ${named} means several in ${targetKey(target)}. Objects with drift: ${known}.`,
      );
    }
    if (!called.some(({ drift }) => field === undefined || hasField(drift, field))) return [];
    return [{ target, object: named === undefined ? undefined : object }];
  });
  if (meant.length > 0) return meant;
  const what = [
    named === undefined ? [] : `--object ${named}`,
    field === undefined ? [] : `--field ${field}`,
  ];
  throw new CliError(
    `${what.flat().join(' ')} has no open drift in ${targets.map(targetKey).join(', ')}. Objects with drift: ${known}.`,
  );
}

function hasField({ fields }: ObjectDrift, name: string): boolean {
  return fields.some(({ path, pointer }) => path === name || pointer === name);
}

function isCalled(ref: ObjectRef, named: string): boolean {
  const { kind, namespace = '', name } = ref;
  return [refKey(ref), describeRef(ref), `${kind}/${name}`, `${kind}/${namespace}/${name}`].includes(named);
}

function uniqueRules(rules: readonly Rule[]): readonly Rule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

async function readText(file: string): Promise<string> {
  return readFile(resolve(callersFolder(), file), 'utf8').catch((cause: unknown) => {
    throw new CliError(`Cannot read ${file}: ${messageOf(cause)}.`, { cause });
  });
}

/** All of them or none; never half a file. */
async function writeRules(file: string, app: string, rules: readonly Rule[]): Promise<void> {
  const path = resolve(callersFolder(), file);
  const text = await readText(file);
  try {
    const changed = rules.reduce((current, rule) => addRule(current, rule, app), text);
    await writeFile(`${path}.new`, changed);
    await rename(`${path}.new`, path);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    throw new CliError(`${file}: ${error.message}. The rules are in the records.`, { cause: error });
  }
}
