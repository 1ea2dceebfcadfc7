import * as z from 'zod';

/** Retention of records of runs and drift under S3 Object Lock. */
export const recordLockSchema = z.strictObject({
  mode: z
    .enum(['governance', 'compliance'])
    .describe(
      'governance: who has s3:BypassGovernanceRetention may still delete; compliance: nobody may, not even the root of the account, until the days are over',
    ),
  days: z.number().int().min(1).max(36_500).describe('counted from each write of a record'),
});
export type RecordLock = z.infer<typeof recordLockSchema>;
