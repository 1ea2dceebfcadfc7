import { isUnderWay } from '../cancel-run.ts';
import { isRestartable } from '../model/workload.ts';
import { actionBodySchemas, type Action, type DriftEpisode } from './contract.ts';
import { mayAct, type Person } from './person.ts';
import type { TargetView } from '../view/target-view.ts';

export function isAction(name: string): name is Action {
  return Object.hasOwn(actionBodySchemas, name);
}

interface Standing {
  readonly view: TargetView;
  readonly project: string;
  readonly person: Person;
  readonly open: readonly DriftEpisode[];
  readonly isSuspended: boolean;
  /** Objects of a prune that waits for a person. */
  readonly confirm: number;
}

/** What may be asked for here and now, by this person. */
export function actionsFor({
  view,
  project,
  person,
  open,
  isSuspended,
  confirm,
}: Standing): readonly Action[] {
  const { pin } = view.pointer;
  if (!mayAct(person, project)) return [];
  if (isSuspended) return ['resume'];
  const actions: Action[] = ['sync', 'suspend', pin === undefined ? 'rollback' : 'lift'];
  const { pointer, inventory, check, target } = view;
  const isAtWork = check?.targets[target.application]?.sync === 'Reconciling';
  if (isAtWork || isUnderWay(pointer, inventory)) actions.push('cancel');
  if (Object.values(inventory?.entries ?? {}).some(({ ref }) => isRestartable(ref))) actions.push('restart');
  if (open.length > 0) actions.push('heal', 'accept-drift');
  if (confirm > 0) actions.push('confirm-prune');
  return actions;
}
