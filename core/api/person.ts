import type { SessionView } from './contract.ts';

/** Who asks, as the sign-in knows them. */
export interface Person {
  readonly name: string;
  readonly role: SessionView['role'];
  /** Names of projects; `*`: all. */
  readonly projects: readonly string[];
}

/** An application that names no project is in this one. */
const defaultProject = 'default';

/** Who may not see a project is not told that its targets exist. */
export function maySee({ projects }: Person, project: string = defaultProject): boolean {
  return projects.includes('*') || projects.includes(project);
}

/** Operators change what runs; viewers change nothing. */
export function mayAct(person: Person, project?: string): boolean {
  return person.role !== 'viewer' && maySee(person, project);
}
