import type { Dependency } from '../model/application.ts';
import { targetKey, type Target } from '../model/target.ts';
import { suspensionOf } from '../model/suspension.ts';
import type { FleetInput } from '../view/fleet.ts';
import { stateOf, type TargetView } from '../view/target-view.ts';
import { fleetInput } from './ask-fleet.ts';
import type { Topology } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';

type Node = Topology['nodes'][number];
type Edge = Topology['edges'][number];

/** More than that no picture shows. */
const mostNodes = 600;

/** Applications with what each waits for, of one cluster, one project, or all; of what whoever asks may see. */
export async function applicationsMap(
  { cluster, project }: { readonly cluster?: string; readonly project?: string },
  person: Person,
  deps: ApiDeps,
): Promise<Topology> {
  const input = await seenInput(person, deps);
  const { repositories } = deps.config;
  const chosen = input.views.filter(
    ({ target, pointer }) =>
      (cluster === undefined || target.cluster === cluster) &&
      (project === undefined || projectOf(pointer, repositories) === project),
  );
  // What is tied to something first: where there are too many, what stands alone is left out.
  const edges = chosen.flatMap(edgesOf);
  const tied = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const own = chosen.map((view) => nodeOf(view.target, view, input));
  const known = new Set(own.map(({ id }) => id));
  const others = neighbours(chosen, input).filter(({ id }) => !known.has(id));
  const all = [...own, ...others];
  const nodes = [...all.filter(({ id }) => tied.has(id)), ...all.filter(({ id }) => !tied.has(id))];
  const shown = nodes.slice(0, mostNodes);
  return { nodes: shown, edges: among(edges, shown), left: nodes.length - shown.length };
}

/** One application with those that it waits for, and those that wait for it. Empty where there are none of either. */
export async function neighbourMap(
  view: TargetView,
  person: Person,
  deps: ApiDeps,
): Promise<Pick<Topology, 'nodes' | 'edges'>> {
  const input = await seenInput(person, deps);
  const id = idOf(view.target);
  const waiting = input.views.filter((other) => edgesOf(other).some(({ to }) => to === id));
  const edges = [...edgesOf(view), ...waiting.flatMap(edgesOf).filter(({ to }) => to === id)];
  if (edges.length === 0) return { nodes: [], edges };
  const ends = [nodeOf(view.target, view, input), ...neighbours([view], input)];
  const nodes = [...ends, ...waiting.map((other) => nodeOf(other.target, other, input))];
  return { nodes: [...new Map(nodes.map((node) => [node.id, node])).values()], edges };
}

async function seenInput(person: Person, deps: ApiDeps): Promise<FleetInput> {
  const input = await fleetInput(deps);
  const { repositories } = deps.config;
  return {
    ...input,
    views: input.views.filter(({ pointer }) => maySee(person, projectOf(pointer, repositories))),
  };
}

/** What some wait for. Of one that whoever asks may not see, there is the name that its dependant gives it and no more. */
function neighbours(views: readonly TargetView[], input: FleetInput): readonly Node[] {
  const byId = new Map(input.views.map((view) => [idOf(view.target), view]));
  const targets = views.flatMap(({ target, pointer }) =>
    pointer.settings.dependsOn.map((one) => targetOf(one, target)),
  );
  const unique = new Map(targets.map((target) => [idOf(target), target]));
  return [...unique].map(([id, target]) => nodeOf(target, byId.get(id), input));
}

function nodeOf(target: Target, view: TargetView | undefined, input: FleetInput): Node {
  const { cluster, application } = target;
  const named = { id: idOf(target), kind: 'Application', name: application, application, cluster };
  if (view === undefined) return { ...named, role: 'application', drift: false };
  const suspension = suspensionOf(input.suspensions, target, input.now);
  const { sync, health, drift } = stateOf(view, suspension, input.now);
  return { ...named, role: 'application', sync, health, drift: drift > 0 };
}

function edgesOf({ target, pointer }: TargetView): readonly Edge[] {
  const from = idOf(target);
  return pointer.settings.dependsOn.map((one) => ({
    from,
    to: idOf(targetOf(one, target)),
    kind: 'depends',
  }));
}

function targetOf({ application, cluster }: Dependency, from: Target): Target {
  return { application, cluster: cluster ?? from.cluster };
}

function idOf(target: Target): string {
  return `app:${targetKey(target)}`;
}

function among(edges: readonly Edge[], nodes: readonly Node[]): Edge[] {
  const ids = new Set(nodes.map(({ id }) => id));
  return edges.filter(({ from, to }) => ids.has(from) && ids.has(to));
}
