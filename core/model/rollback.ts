import * as z from 'zod';
import { durationSchema, secondsOf } from './duration.ts';

const longestWindowSeconds = 24 * 3600;

const alarmNameSchema = z.string().min(1).max(255);

/** What becomes of a revision that turns out bad. */
export const rollbackSchema = z
  .strictObject({
    onFailure: z
      .strictObject({
        window: durationSchema
          .refine((window) => secondsOf(window) <= longestWindowSeconds, 'must be 24h at most')
          .default('30m')
          .describe('for how long after it was applied a new revision may be rolled back'),
        alarms: z
          .array(alarmNameSchema)
          .min(1)
          .max(20)
          .exactOptional()
          .describe(
            'CloudWatch alarms, in the account and region of the installation, that end a revision when they ring in its window',
          ),
      })
      .exactOptional()
      .describe(
        'a new revision whose run fails or whose health is Degraded in its window gives way to the last one that was healthy; default: a person rolls back',
      ),
    revertPullRequest: z
      .boolean()
      .exactOptional()
      .describe('beside a rollback, whoever does it, a pull request takes the change back in Git'),
  })
  .refine(({ onFailure, revertPullRequest }) => (onFailure ?? revertPullRequest) !== undefined, {
    message: 'give onFailure or revertPullRequest',
  });
type Rollback = z.infer<typeof rollbackSchema>;

/** The same as settings of a target. */
export const rollbackSettingsSchema = z.object({
  onFailure: z.object({ windowSeconds: z.number(), alarms: z.array(z.string()) }).exactOptional(),
  revertPullRequest: z.literal(true).exactOptional(),
});
type RollbackSettings = z.infer<typeof rollbackSettingsSchema>;

export function rollbackSettings({ onFailure, revertPullRequest }: Rollback): RollbackSettings {
  return {
    ...(onFailure !== undefined && {
      onFailure: { windowSeconds: secondsOf(onFailure.window), alarms: onFailure.alarms ?? [] },
    }),
    ...(revertPullRequest === true && { revertPullRequest }),
  };
}
