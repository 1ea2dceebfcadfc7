import * as z from 'zod';
import { keys } from '../contract/keys.ts';
import { writeDocument } from '../documents.ts';
import type { Store } from '../ports.ts';
import type { HookRequest } from './hook-request.ts';

/**
 * A verified request as it is kept for a few days, so that it can be read again: the claim check of the event, which
 * holds the little that we use. Never its signature, token or address.
 */
export const keptBodySchema = z.object({
  version: z.literal(1),
  headers: z.record(z.string(), z.string()),
  text: z.string(),
});

export async function keepBody(
  store: Store,
  { headers, text }: HookRequest,
  about: { readonly provider: string; readonly bodyDigest: string; readonly headers: readonly string[] },
): Promise<void> {
  const kept = about.headers.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const document: z.infer<typeof keptBodySchema> = { version: 1, headers: Object.fromEntries(kept), text };
  await writeDocument(store, keys.body(about.provider, about.bodyDigest), document, 'any');
}
