import { Stop, messageOf, type Fault } from '../errors.ts';
import { expressionOf } from '../expression.ts';
import type { KubeObject } from '../model/object.ts';
import type { PolicyRule } from '../model/policy-rule.ts';
import type { Worktree } from '../ports.ts';
import { readManifests } from '../render/manifests.ts';
import { admissionPolicies } from './admission-policy.ts';

/** Objects of a commit's policy files: ValidatingAdmissionPolicies, bindings, and what they take as parameters. */
export interface PolicyFiles {
  readonly objects: readonly KubeObject[];
  /** Files, and policies in them, that cannot be read; nothing is judged by these. */
  readonly faults: readonly Fault[];
}

/** All manifests of a folder, whatever else is in it. Empty where there is no such folder. */
export async function readPolicies(worktree: Worktree, folder: string | undefined): Promise<PolicyFiles> {
  const objects: KubeObject[] = [];
  const faults: Fault[] = [];
  if (folder === undefined) return { objects, faults };
  const files = await orFaults(async () => {
    const found = (await worktree.files(folder)).filter((path) => /\.(?:ya?ml|json)$/.test(path));
    await worktree.prepare(found);
    return found;
  }, faults);
  for (const file of files ?? []) {
    const read = await orFaults(async () => readManifests(file, await worktree.text(file)), faults);
    faults.push(...(read ?? []).flatMap((each) => each.faults));
    for (const { object, place } of (read ?? []).flatMap((each) => each.objects)) {
      const own = faultsOfPolicy(object, place);
      faults.push(...own);
      if (own.length === 0) objects.push(object);
    }
  }
  return { objects, faults };
}

/** A folder or a file that cannot be read says nothing of the others. */
async function orFaults<T>(read: () => Promise<T>, faults: Fault[]): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}

function faultsOfPolicy(object: KubeObject, place: string): readonly Fault[] {
  try {
    admissionPolicies([object]);
    return [];
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return error.faults.map(({ subject, message }) => ({
      subject: place,
      message: `${subject}: ${message}`,
    }));
  }
}

/** Throws Stop with every rule of the installation whose expression is none. */
export function checkRules(rules: readonly PolicyRule[]): void {
  const faults = rules.flatMap(({ name, expression }): readonly Fault[] => {
    const subject = `policy ${name}`;
    try {
      expressionOf(expression, subject);
      return [];
    } catch (error) {
      return [{ subject, message: messageOf(error).slice(subject.length + 2) }];
    }
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}
