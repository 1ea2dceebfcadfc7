import * as z from 'zod';
import { durationSchema } from '../model/duration.ts';
import { freezeSchema } from '../model/freeze.ts';
import { alarmNamesSchema } from '../model/rollout.ts';
import { nameSchema } from '../model/target.ts';
import { imagesSchema, pullRequestLabels } from './images.ts';

/**
 * The branch from which commits are proposed to an environment, of one installation alone (`installationName`): two do not
 * push over each other.
 */
export function promotionBranch(installation: string, environment: string): string {
  return `trueup/promote/${installation}/${environment}`;
}

const { author, tokenSecret, signingKeySecret } = imagesSchema.shape;
const step = String.raw`[^.[\]]+(?:\[[^=\]]+=[^\]]+\])?`;
/** Names joined by points; an entry of a list is named by one of its own fields. */
const fieldPath = new RegExp(`^${step}(?:\\.${step})*$`);
const pathSchema = z
  .string()
  .regex(/^[^/\p{Cc}][^\p{Cc}]*$/u, 'must be a path relative to the root of the repository');

const promotedFileSchema = z.strictObject({
  from: pathSchema,
  to: pathSchema,
  fields: z
    .array(z.string().regex(fieldPath, 'must be like image.tag or images[name=acme/web].digest'))
    .min(1)
    .max(100)
    .exactOptional()
    .describe(
      'of YAML: the values that are carried over, such as tags and digests of images, all else stays; default: the whole file',
    ),
});

const gates = {
  from: nameSchema.describe('the environment before: a repository of this configuration, by its name'),
  soak: durationSchema
    .exactOptional()
    .describe('how long every target of the environment before must have been healthy with it'),
  alarms: alarmNamesSchema
    .exactOptional()
    .describe('CloudWatch alarms of the account and region of the installation that must be OK'),
  freeze: z.array(freezeSchema).max(50).default([]).describe('times in which nothing is promoted'),
  schedule: z
    .array(freezeSchema)
    .min(1)
    .max(50)
    .exactOptional()
    .describe('the only times in which that is done'),
};

/** How this environment gets what another one has proved (issue 7). An environment is a configured repository. */
export const promotionSchema = z.discriminatedUnion('by', [
  z.strictObject({
    by: z
      .literal('pointer')
      .describe('the promoted commit is followed in place of the branch; nothing is written to Git'),
    ...gates,
    approval: z
      .boolean()
      .exactOptional()
      .describe('each commit waits for `trueup promote --environment NAME`, too; default: no'),
  }),
  z.strictObject({
    by: z
      .literal('pullRequest')
      .describe(
        'a pull request to the branch of this environment is opened and kept current; people merge it',
      ),
    ...gates,
    files: z
      .array(promotedFileSchema)
      .min(1)
      .max(100)
      .exactOptional()
      .describe(
        'text files of which contents are carried over, such as the images of an overlay; default: the whole commit, to a branch of its own',
      ),
    reviews: z
      .int()
      .min(1)
      .max(20)
      .exactOptional()
      .describe(
        'approvals of the pull request without which its status `trueup/promotion` is not green; default: none',
      ),
    author,
    tokenSecret,
    signingKeySecret,
    labels: pullRequestLabels,
  }),
]);
export type PromotionConfig = z.infer<typeof promotionSchema>;

interface Environment {
  readonly name: string;
  readonly url: string;
  readonly branch?: string;
  readonly promotion?: { readonly by: string; readonly from: string; readonly files?: unknown };
}

interface Fault {
  readonly path: (string | number)[];
  readonly message: string;
}

/** What is wrong with the lines of environments, as a whole. */
export function promotionFaults(repositories: readonly Environment[]): Fault[] {
  const byName = new Map(repositories.map((one) => [one.name, one]));
  return repositories.flatMap(({ name, url, branch = 'main', promotion }, index) => {
    if (promotion === undefined) return [];
    const refuse = (message: string): Fault[] => [
      { path: ['repositories', index, 'promotion', 'from'], message },
    ];
    const before = byName.get(promotion.from);
    if (before === undefined) return refuse(`there is no repository ${promotion.from}`);
    if (isInCircle(name, byName)) return refuse('leads back to itself: one environment must be the first');
    if (before.url !== url) return refuse('must have the same url: a commit of one is promoted to the other');
    const isWhole = promotion.by === 'pullRequest' && promotion.files === undefined;
    if (isWhole && branch === (before.branch ?? 'main'))
      return refuse('must have another branch, unless `files` says what is carried over');
    return [];
  });
}

function isInCircle(name: string, byName: ReadonlyMap<string, Environment>): boolean {
  const seen = new Set<string>();
  let at: string | undefined = name;
  while (at !== undefined && !seen.has(at)) {
    seen.add(at);
    at = byName.get(at)?.promotion?.from;
  }
  return at !== undefined;
}
