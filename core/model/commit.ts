import * as z from 'zod';

const person = z.object({ name: z.string(), email: z.string(), at: z.string().describe('ISO 8601') });

/** What came of looking at a commit's signature; why it is refused, in a sentence for a person. */
export const signatureSchema = z.discriminatedUnion('verdict', [
  z.object({
    verdict: z.literal('good'),
    scheme: z.enum(['gpg', 'ssh', 'gitsign', 'cosign']),
    signer: z.string(),
  }),
  z.object({ verdict: z.literal('refused'), reason: z.string() }),
]);
export type Signature = z.infer<typeof signatureSchema>;

/** A commit as Git itself tells it, or an artifact as its registry or bucket does; never as a webhook body claims it. */
export const commitSchema = z.object({
  repository: z.string().describe('name of the repository in the stack configuration'),
  ref: z
    .string()
    .describe('full ref, e.g. refs/heads/main, or the SHA or digest where that is what is tracked'),
  sha: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
    .describe('of an artifact the 64 digits of its digest, or a digest over the version of its S3 object'),
  author: person,
  committer: person,
  subject: z.string().describe("the message's first line"),
  signature: signatureSchema.exactOptional().describe('absent: not looked at'),
});
export type Commit = z.infer<typeof commitSchema>;
