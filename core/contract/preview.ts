import * as z from 'zod';

/** Receives of one message about a pull request; with the last the status says that it is given up. */
export const previewAttempts = 5;

/** What is said to pull requests into the tracked branch (issue 7). */
export const previewSchema = z.strictObject({
  forks: z
    .enum(['ignore', 'render'])
    .default('ignore')
    .describe(
      'pull requests from forks, which anybody may open. render: their commits are rendered without secrets, chart repositories and other repositories, and compared with no cluster; ignore: a status says so',
    ),
  clusters: z
    .boolean()
    .default(true)
    .describe('ask each cluster by a dry run what would change there, too; forks never'),
});
