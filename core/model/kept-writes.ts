import * as z from 'zod';
import { auditWriteSchema } from './audit.ts';
import { targetSchema } from './target.ts';

/**
 * Writes of others to the objects of one target, as the audit log told of them: those that no check has looked for yet, and
 * those that tell who did what is found later. Gone with a lifecycle rule two days after the last of them.
 */
export const keptWritesSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  target: targetSchema,
  waiting: z.array(auditWriteSchema).describe('that no check has looked for yet'),
  seen: z.array(auditWriteSchema).describe('that a check has looked for, kept for what is found later'),
  dropped: z
    .string()
    .exactOptional()
    .describe('end of the newest write that there was no room for: who did what before is not known'),
  asked: z
    .string()
    .exactOptional()
    .describe('when the check that was asked for is due; absent while none is under way'),
  checked: z.string().exactOptional().describe('when the last check asked for here ended'),
});
export type KeptWrites = z.infer<typeof keptWritesSchema>;
