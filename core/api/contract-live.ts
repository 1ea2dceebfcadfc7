import * as z from 'zod';
import { jsonSchema } from '../model/json.ts';

/**
 * What the dashboard shows of clusters themselves. The installed API has no right to any: it leads to where a person looks
 * with rights of their own. `trueup ui` with a kubeconfig looks with those of whoever started it, and writes nothing.
 */

export const linksSchema = z
  .array(z.object({ title: z.string(), url: z.string() }))
  .describe('to where more is to be seen: consoles, and what `dashboard.links` names');

export const commandsSchema = z
  .array(z.object({ title: z.string(), command: z.string() }))
  .describe('for a terminal, quoted: to be copied');

const kubeEventSchema = z.object({
  at: z.string().describe('when it was seen last'),
  type: z.enum(['Normal', 'Warning']),
  about: z.string().describe('KIND/NAME'),
  reason: z.string(),
  message: z.string(),
  count: z.number().int(),
});

const podSchema = z.object({
  name: z.string(),
  phase: z.string(),
  ready: z.string().describe('such as 1/2'),
  restarts: z.number().int(),
  startedAt: z.string().exactOptional(),
  node: z.string().exactOptional(),
  containers: z.array(
    z.object({
      name: z.string(),
      image: z.string(),
      ready: z.boolean(),
      state: z.string().describe('such as Running, or CrashLoopBackOff'),
      init: z.boolean(),
    }),
  ),
});

/** One object as it is on its cluster now. */
export const liveObjectSchema = z
  .object({
    key: z.string(),
    at: z.string(),
    object: jsonSchema.describe('values of Secrets masked; null where it is not there'),
    events: z.array(kubeEventSchema).describe('of it and of its pods, newest first'),
    pods: z.array(podSchema).describe('that it runs, or that a Service leads to'),
  })
  .meta({ id: 'LiveObject' });

export const logsSchema = z
  .object({ pod: z.string(), container: z.string(), text: z.string() })
  .meta({ id: 'Logs' });

export type LiveObjectView = z.infer<typeof liveObjectSchema>;
export type Logs = z.infer<typeof logsSchema>;
export type Links = z.infer<typeof linksSchema>;
export type Commands = z.infer<typeof commandsSchema>;
