import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { acceptDrift } from '../core/accept.ts';
import { Stop, messageOf } from '../core/errors.ts';
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
  for (const target of await drifting(session, targets)) {
    const object = await keyOf(session, target, options.object);
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

/** The key of the one object that a person means. Throws CliError when it is none or several. */
async function keyOf(
  session: RecordsSession,
  target: Target,
  named: string | undefined,
): Promise<string | undefined> {
  if (named === undefined) return undefined;
  const { records } = await viewDrift(session, [target]);
  const open = records.filter(({ state }) => state === 'open').map((record) => record.drift.ref);
  const found = [...new Set(open.filter((ref) => isCalled(ref, named)).map(refKey))];
  const [key, ...more] = found;
  if (key !== undefined && more.length === 0) return key;
  const known = open.map((ref) => `"${describeRef(ref)}"`).join(', ');
  const why = more.length > 0 ? 'means several' : 'has no open drift';
  throw new CliError(`--object ${named} ${why} in ${targetKey(target)}. Objects with drift: ${known}.`);
}

function isCalled(ref: ObjectRef, named: string): boolean {
  const { kind, namespace = '', name } = ref;
  return [refKey(ref), describeRef(ref), `${kind}/${name}`, `${kind}/${namespace}/${name}`].includes(named);
}

function uniqueRules(rules: readonly Rule[]): readonly Rule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** All of them or none; never half a file. */
async function writeRules(file: string, app: string, rules: readonly Rule[]): Promise<void> {
  const path = resolve(callersFolder(), file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliError(`Cannot read ${file}: ${messageOf(cause)}. The rules are in the records.`, { cause });
  });
  try {
    const changed = rules.reduce((current, rule) => addRule(current, rule, app), text);
    await writeFile(`${path}.new`, changed);
    await rename(`${path}.new`, path);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    throw new CliError(`${file}: ${error.message}. The rules are in the records.`, { cause: error });
  }
}
