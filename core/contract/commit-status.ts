import * as z from 'zod';

/** What a template of a link may name. */
const placeholders = ['fleet', 'repository', 'sha', 'cluster', 'application', 'run'] as const;
export type LinkPart = (typeof placeholders)[number];

const placeholderForm = /\{([^{}]*)\}/g;

const linkSchema = z
  .string()
  .max(1000)
  .refine(
    (link) => {
      const names = [...link.matchAll(placeholderForm)].map(([, name = '']) => name);
      return names.every((name) => placeholders.some((known) => known === name));
    },
    `may name ${placeholders.map((name) => `{${name}}`).join(', ')} and nothing else`,
  )
  .refine(
    (link) => /^https:\/\/[\w.-]+(:\d{1,5})?(\/\S*)?$/.test(link.replaceAll(placeholderForm, 'x')),
    'must be https://',
  );

/** What is told to the Git host of the commits of a repository (issue 7). */
export const commitStatusSchema = z.strictObject({
  context: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be words with slashes between them')
    .max(60)
    .default('trueup')
    .describe(
      'what the names of statuses begin with; another one for each installation that tells of the same repository',
    ),
  perCluster: z.boolean().default(true).describe('a status for each cluster; false: one for all of them'),
  deployments: z
    .boolean()
    .default(false)
    .describe('deployments too, where the Git host has them: each cluster is an environment'),
  environmentLabel: z
    .string()
    .min(1)
    .exactOptional()
    .describe('clusters with the same value of this label are one environment, of that name'),
  url: linkSchema
    .exactOptional()
    .describe(
      'where a status leads: {fleet}, {repository}, {sha} and {cluster} are filled in; default: nowhere',
    ),
  runUrl: linkSchema
    .exactOptional()
    .describe(
      'where the record of a run is read, for a status that tells of one application: {application} and {run}, its key, too',
    ),
});
export type CommitStatusConfig = z.infer<typeof commitStatusSchema>;

/** A link as its template has it; undefined where something that it names is not known. */
export function filledLink(
  template: string | undefined,
  parts: Readonly<Partial<Record<LinkPart, string>>>,
): string | undefined {
  if (template === undefined) return undefined;
  const known = new Map<string, string>(Object.entries(parts));
  const names = [...template.matchAll(placeholderForm)].map(([, name = '']) => name);
  if (names.some((name) => !known.has(name))) return undefined;
  return template.replaceAll(placeholderForm, (_, name: string) => encodeURIComponent(known.get(name) ?? ''));
}

/** Of a cluster whose name is one of our own words. */
const ownWords = new Set(['render', 'preview', 'clusters']);

/** Names of statuses, as rules of branches name them. */
export function contextOf(
  { context }: Pick<CommitStatusConfig, 'context'>,
  of: 'render' | 'clusters' | { readonly cluster: string },
): string {
  if (typeof of === 'string') return `${context}/${of}`;
  return ownWords.has(of.cluster) ? `${context}/cluster/${of.cluster}` : `${context}/${of.cluster}`;
}
