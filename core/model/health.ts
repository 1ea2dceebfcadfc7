import * as z from 'zod';
import { objectRefSchema } from './object.ts';

export const healthStatusSchema = z.enum([
  'Healthy',
  'Progressing',
  'Degraded',
  'Suspended',
  'Missing',
  'Unknown',
]);
export type HealthStatus = z.infer<typeof healthStatusSchema>;

/** Health of one object, with reason and message taken from the object itself. */
export const objectHealthSchema = z.object({
  ref: objectRefSchema,
  status: healthStatusSchema,
  reason: z.string(),
  message: z.string(),
});
export type ObjectHealth = z.infer<typeof objectHealthSchema>;
