import * as z from 'zod';
import { nameSchema } from './target.ts';

/** Repositories whose applications read from one: a push to that is a push to all of these. */
export const readersSchema = z.object({
  version: z.literal(1),
  readers: z.array(nameSchema),
});
