import * as z from 'zod';

const joinSchema = z.object({
  'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), z.object({ Ref: z.string() })]))]),
});

/** A text with parts that are known at deployment, resolved, as cdk-nag names it. */
export function flattened(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  const [, parts] = joinSchema.parse(resolved)['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}
