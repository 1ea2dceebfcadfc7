import * as z from 'zod';

// What SQS takes as the maximum concurrency of an event source.
const atOnce = z.number().int().min(2).max(1000);

/** How much is worked on at once. Each number is that of one queue, and with a network of its own that of each network. */
export const concurrencySchema = z.strictObject({
  pushes: atOnce.default(5).describe('commits that are rendered'),
  runs: atOnce.default(20).describe('targets that are reconciled after a push or by a person'),
  later: atOnce.default(10).describe('targets that are healed, tried again, or looked at for their health'),
  sweeps: atOnce.default(10).describe('clusters that are checked'),
  runsPerCluster: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .exactOptional()
    .describe(
      'most of `runs` that one cluster may have; default: all of them. Targets of a cluster then share so many places in line, and one that takes long holds up those behind it in its place',
    ),
});
export type Concurrency = z.infer<typeof concurrencySchema>;
