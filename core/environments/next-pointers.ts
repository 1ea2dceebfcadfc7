import type { Fault } from '../errors.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { Environment } from '../model/preview-environments.ts';
import {
  failedPointer,
  gonePointer,
  presentPointer,
  settingsOf,
  touchedPointer,
  type Look,
} from '../produce/pointers.ts';
import type { Wanted } from './decide.ts';
import type { RenderedEnvironment } from './render-environment.ts';

type Current = DesiredPointer | undefined;

/** Whose pointer one may be. */
export interface Holder {
  readonly repository: string;
  readonly environment: Pick<Environment, 'application'>;
}

/** No branch or range that a repository follows has such a name: no commit of theirs is thought to move these. */
function pullRef(id: string): string {
  return `pull-request:${id}`;
}

/** Whether a pointer follows a pull request, and none of what its repository tracks. */
export function isPullRef(ref: string): boolean {
  return ref.startsWith('pull-request:');
}

/** Why a name is not free for an environment; undefined where it is. Even a tombstone of an application may have objects. */
export function whyTaken(current: Current, { repository, environment }: Holder): string | undefined {
  if (current === undefined || isOwn(current, { repository, environment })) return undefined;
  const { target, settings } = current;
  const where = `${target.application} on cluster ${target.cluster}`;
  return settings.environment === undefined
    ? `${where} is the name of an application; change previewEnvironments.name`
    : `${where} is a preview environment of the application ${settings.environment.application} of repository ${current.repository}`;
}

/** Whether it is a pointer of this very environment: nothing else is ever taken away. */
function isOwn({ settings, repository }: DesiredPointer, holder: Holder): boolean {
  return (
    settings.environment?.application === holder.environment.application && repository === holder.repository
  );
}

/** The pointer to a rendered environment on one cluster; undefined when the current one says all of it already. */
export function wantedPointer(
  current: Current,
  cluster: string,
  { name, definition, pull }: Wanted,
  {
    rendered,
    at,
  }: { readonly rendered: Extract<RenderedEnvironment, { kind: 'rendered' }>; readonly at: string },
): DesiredPointer | undefined {
  const produced = rendered.produced.get(cluster);
  if (produced === undefined) return undefined;
  const { commit, application } = rendered;
  const environment = {
    application: definition.application.metadata.name,
    pull: pull.id,
    url: pull.url,
    namespace: name,
    clusterKinds: [...definition.wish.clusterKinds],
  };
  const settings = { ...settingsOf(application), environment };
  const target = { cluster, application: name };
  const wanted = { target, commit, ref: pullRef(pull.id), at, ...produced, settings };
  const next = presentPointer(current, wanted);
  if (next !== undefined || current === undefined || current.examined.sha === commit.sha) return next;
  // Another version of it keeps out whoever is about to write an older commit.
  return touchedPointer(current, { sha: commit.sha, at });
}

/** The same environment as before, with a note of what is wrong with its newest commit. */
export function failedEnvironment(
  current: Current,
  look: Look,
  faults: readonly Fault[],
  holder: Holder,
): DesiredPointer | undefined {
  if (current?.state !== 'present' || !isOwn(current, holder)) return undefined;
  return failedPointer(
    current,
    look,
    faults.map(({ subject, message }) => ({ subject, message })),
  );
}

/** A tombstone, with which everything of it is pruned; undefined where there is one, or where the pointer is not its own. */
export function endedPointer(current: Current, look: Look, holder: Holder): DesiredPointer | undefined {
  return current !== undefined && isOwn(current, holder) ? gonePointer(current, look) : undefined;
}
