import * as z from 'zod';

/** A path inside the repository, `.` for all of it. Climbing out is refused here and again by the checkout. */
const pathSchema = z
  .string()
  .min(1)
  .regex(/^[^\\\p{Cc}]*$/u, 'must be spelled with / and without control characters')
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'must stay inside the repository',
  )
  // One spelling: `./apps/web/` is `apps/web`.
  .transform(
    (path) =>
      path
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/') || '.',
  );

/** What an application is rendered from. */
export const sourceSchema = z.strictObject({
  path: pathSchema.describe('folder in this repository'),
  renderer: z
    .enum(['auto', 'plain', 'kustomize'])
    .default('auto')
    .describe('auto: Kustomize when the folder holds a kustomization, else plain YAML and JSON, recursive'),
});
