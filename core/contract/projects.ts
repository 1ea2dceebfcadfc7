import * as z from 'zod';
import { nameSchema } from '../model/target.ts';

/** Applications that name no project, and whose repository is bound to none, are in this one. */
export const defaultProject = 'default';

const list = (pattern: z.ZodString) => z.array(pattern).max(200);
const name = z.string().regex(/^[a-z0-9*]([-a-z0-9.*]*[a-z0-9*])?$/, 'must be a name, with * for any text');
const kind = z
  .string()
  .regex(
    /^(?:\*|(?:[a-z0-9.*-]+\/)?[A-Za-z0-9*]+)$/,
    'must be KIND of the core group, GROUP/KIND, GROUP/* or *',
  );

/** What the applications of one team may do: everything that a list does not name is refused. */
export const projectSchema = z.strictObject({
  name: nameSchema,
  repositories: list(name)
    .min(1)
    .describe('where its Applications may stand, and what they may take from; names of the configuration'),
  clusters: list(name).min(1).describe('where they may go; names, with * for any text'),
  namespaces: list(name).min(1).describe('where their objects may be'),
  kinds: list(kind)
    .default(['*'])
    .describe('namespaced kinds that they may have: ConfigMap, apps/Deployment, apps/*; default: all'),
  clusterKinds: list(kind)
    .default([])
    .describe('cluster-scoped kinds that they may have, such as Namespace; default: none'),
});
export type Project = z.infer<typeof projectSchema>;

interface Bound {
  readonly projects: readonly Project[];
  readonly repositories: readonly { readonly project?: string }[];
}

/** Places and texts of what is wrong with the projects of a configuration. */
export function projectFaults({
  projects,
  repositories,
}: Bound): { path: (string | number)[]; message: string }[] {
  const known = new Set([defaultProject, ...projects.map((project) => project.name)]);
  return repositories.flatMap(({ project }, index) => {
    if (project === undefined || known.has(project)) return [];
    const message = `project "${project}" is not among the projects; known: ${[...known].join(', ')}`;
    return [{ path: ['repositories', index, 'project'], message }];
  });
}
