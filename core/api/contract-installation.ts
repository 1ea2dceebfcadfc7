import * as z from 'zod';

/** What the dashboard shows of an installation as a whole: its clusters, what it was told, its environments. */

export const clusterRowSchema = z
  .object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    version: z.string().exactOptional(),
    checkedAt: z.string().exactOptional(),
    unreachable: z.string().exactOptional(),
    targets: z.number().int(),
  })
  .meta({ id: 'ClusterRow' });

export const deliveryRowSchema = z
  .object({
    id: z.string(),
    provider: z.string(),
    event: z.string(),
    receivedAt: z.string(),
    state: z.enum(['claimed', 'published', 'ignored']),
    what: z.string().describe('what it was about: refs, images, pull requests'),
    told: z.string().describe('what came of it'),
    replay: z
      .boolean()
      .describe('whether who asks may have it read again: POST deliveries/{provider}/{id}/replay'),
  })
  .meta({ id: 'DeliveryRow' });

/** An environment that commits are promoted to, or the first, that they come from. */
export const environmentRowSchema = z
  .object({
    environment: z.string().describe('name of its repository in the stack configuration'),
    from: z
      .string()
      .exactOptional()
      .describe('the environment before; absent for one that follows its branch'),
    commit: z.string().exactOptional().describe('that it follows now'),
    at: z.string().exactOptional(),
    promoted: z
      .object({ sha: z.string(), at: z.string(), by: z.string(), reason: z.string().exactOptional() })
      .exactOptional(),
    waiting: z
      .object({ sha: z.string().exactOptional(), why: z.string(), at: z.string() })
      .exactOptional()
      .describe('what the one before has and this one does not, and why not'),
  })
  .meta({ id: 'Environment' });

export type ClusterRow = z.infer<typeof clusterRowSchema>;
export type DeliveryRow = z.infer<typeof deliveryRowSchema>;
export type EnvironmentRow = z.infer<typeof environmentRowSchema>;
