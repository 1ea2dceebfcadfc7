import * as z from 'zod';

/** A pattern of paths below a folder, which it cannot leave: `*` and `?` inside one folder, `**` over folders. */
export const globSchema = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (glob) => !glob.startsWith('/') && !glob.split('/').includes('..'),
    'must name paths below source.path',
  )
  .refine(
    (glob) => !/[\\[\]{}!()\p{Cc}]/u.test(glob),
    'may hold *, ** and ?; write one pattern for each choice',
  );
