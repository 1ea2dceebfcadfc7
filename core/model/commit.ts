import * as z from 'zod';

const person = z.object({ name: z.string(), email: z.string(), at: z.string().describe('ISO 8601') });

/** A commit as Git itself tells it, never as a webhook body claims it. */
export const commitSchema = z.object({
  repository: z.string().describe('name of the repository in the stack configuration'),
  ref: z.string().describe('full ref, e.g. refs/heads/main'),
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  author: person,
  committer: person,
  subject: z.string().describe("the message's first line"),
});
export type Commit = z.infer<typeof commitSchema>;
