import * as z from 'zod';
import { lacksRole, lacksRoleText, roleFields } from './cluster-access.ts';

const longestPrefix = 40;

/** EKS clusters of one account and region that are served because of their tags. */
export const discoverySchema = z
  .strictObject({
    region: z.string().min(1).exactOptional().describe('default: region of the stack'),
    ...roleFields,
    tags: z
      .record(z.string().min(1).max(128), z.string().max(256))
      .refine((tags) => Object.keys(tags).length > 0, { message: 'name at least one tag' })
      .describe('tags that a cluster must have, all of them; the value * is any value'),
    labels: z
      .record(z.string(), z.string())
      .default({})
      .describe('of each cluster that is found; they win over those from tags'),
    labelsFromTags: z
      .union([z.string().min(1).max(127), z.record(z.string().min(1).max(128), z.string().min(1))])
      .exactOptional()
      .describe(
        'which tags become labels: those with this prefix, which is taken off; or a map from tag to label; default: none',
      ),
    namePrefix: z
      .string()
      .max(longestPrefix)
      .regex(/^[a-z0-9][-a-z0-9]*$/, 'must be lower-case letters, digits and dashes')
      .exactOptional()
      .describe(
        'goes before the name of each cluster that is found, to tell those of two accounts or regions apart',
      ),
  })
  .refine((one) => !lacksRole(one), { message: lacksRoleText });
export type Discovery = z.infer<typeof discoverySchema>;

/** One account and region: it is listed once, however many discoveries look there. */
export function scopeOf({ roleArn = '', region = '' }: Pick<Discovery, 'roleArn' | 'region'>): string {
  return `${roleArn === '' ? 'own account' : roleArn} ${region === '' ? 'own region' : region}`;
}

/** What a discovery finds depends on nothing else. */
export function discoveryKey(one: Pick<Discovery, 'roleArn' | 'region' | 'tags'>): string {
  const tags = Object.entries(one.tags).map(([tag, value]) => `${tag}=${value}`);
  return [scopeOf(one), ...tags.sort()].join(' ');
}
