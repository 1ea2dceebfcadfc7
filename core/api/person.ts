import type { StackConfig } from '../contract/config.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { DashboardRole } from '../contract/dashboard.ts';

/** A role, and the projects that it holds in. */
export interface Grant {
  readonly role: DashboardRole;
  /** Names of projects; `*`: all. */
  readonly projects: readonly string[];
}

/** Who asks, as the sign-in knows them. */
export interface Person {
  /** As records have it. */
  readonly name: string;
  /** Each holds in its own projects alone: an operator of one who views another changes nothing in that. */
  readonly grants: readonly Grant[];
}

/** Of what names none. */
export const defaultProject = 'default';

/** That of the application, else the one that its repository is bound to, as `core/project.ts` judges a commit. */
export function projectOf(
  { settings, repository }: Pick<DesiredPointer, 'settings' | 'repository'>,
  repositories: StackConfig['repositories'],
): string {
  const bound = repositories.find(({ name }) => name === repository)?.project;
  return settings.project ?? bound ?? defaultProject;
}
const everyProject = '*';

/** Somebody whose role holds everywhere. */
export function everywhere(name: string, role: DashboardRole): Person {
  return { name, grants: [{ role, projects: [everyProject] }] };
}

/** Who may not see a project is not told that its targets exist. */
export function maySee({ grants }: Person, project: string): boolean {
  return grants.some((grant) => holdsIn(grant, project));
}

/** What is of no project, such as what Git hosts told, is for those who see all of them. */
export function seesAll({ grants }: Person): boolean {
  return grants.some(({ projects }) => projects.includes(everyProject));
}

/** Operators change what runs; viewers change nothing. */
export function mayAct({ grants }: Person, project: string): boolean {
  return grants.some((grant) => grant.role !== 'viewer' && holdsIn(grant, project));
}

/** What is of no project is changed by those alone who may change all of them. */
export function mayActEverywhere({ grants }: Person): boolean {
  return grants.some(({ role, projects }) => role !== 'viewer' && projects.includes(everyProject));
}

const ranks: readonly DashboardRole[] = ['viewer', 'operator', 'admin'];

/** The highest of the roles, to be shown: what somebody may do, the target says. */
export function highestRole({ grants }: Person): DashboardRole {
  return ranks.findLast((role) => grants.some((grant) => grant.role === role)) ?? 'viewer';
}

function holdsIn({ projects }: Grant, project: string): boolean {
  return projects.includes(everyProject) || projects.includes(project);
}
