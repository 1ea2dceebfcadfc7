import * as z from 'zod';

/** How one target stands, as the commits of its repository are told. */
export const targetReportSchema = z.object({
  revision: z.number().int().describe('of the desired pointer'),
  state: z.enum(['pending', 'success', 'failure']),
  text: z.string(),
  applied: z.literal(true).exactOptional().describe('the state is that of its health'),
  run: z.string().exactOptional().describe('key of the record of its last run'),
  own: z
    .literal(true)
    .exactOptional()
    .describe('what it should have came with the very commit that is told of'),
  instead: z
    .object({ state: z.enum(['pending', 'failure']), text: z.string() })
    .exactOptional()
    .describe('it is kept from following the commit that is told of: that commit is told this'),
});
export type TargetReport = z.infer<typeof targetReportSchema>;

const lineStateSchema = z.enum([
  'pending',
  /** Of a deployment: pending, and a run has begun. */
  'begun',
  'success',
  'failure',
  /** A newer commit took its place before it was healthy. */
  'superseded',
]);
export type LineState = z.infer<typeof lineStateSchema>;

const toldSchema = z.object({
  state: lineStateSchema,
  text: z.string(),
  at: z.string(),
  times: z.number().int().describe('hosts take no more than a thousand of one name at one commit'),
  unsure: z.literal(true).exactOptional().describe('it was about to be told: the host may have it, or not'),
});
export type Told = z.infer<typeof toldSchema>;

/** An earlier commit of which something is still pending; it is settled by the very revisions that it gave. */
const olderCommitSchema = z.object({
  sha: z.string(),
  lines: z.record(
    z.string(),
    z.object({
      told: toldSchema,
      waits: z.record(z.string(), z.number().int()).describe('revisions that are not healthy yet, by target'),
    }),
  ),
});
export type OlderCommit = z.infer<typeof olderCommitSchema>;

const lookSchema = z.object({
  scope: z
    .enum(['named', 'open', 'all'])
    .describe(
      'named: those of `targets`; open: what is not healthy, too; all: every target of the repository',
    ),
  targets: z.record(z.string(), z.string()).describe('by target, of which time its records must at least be'),
});
/** What has to be read again. */
export type Look = z.infer<typeof lookSchema>;

/** What the Git host was told of the commits of one repository: nothing is told twice, and nothing older over something newer. */
export const reportSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  sha: z.string().describe('the head that is told of; empty before the first'),
  targets: z.record(z.string(), targetReportSchema),
  /** By the line: `status NAME` or `deployment ENVIRONMENT`. */
  told: z.record(z.string(), toldSchema),
  /** Newest first. */
  older: z.array(olderCommitSchema),
  turn: z
    .object({ holder: z.string(), until: z.number().describe('milliseconds since the epoch') })
    .exactOptional()
    .describe('who talks to the host now; nobody else does meanwhile'),
  asked: lookSchema.exactOptional().describe('what others want looked at by whoever has the turn'),
});
export type Report = z.infer<typeof reportSchema>;
