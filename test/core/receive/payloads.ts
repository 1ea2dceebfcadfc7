import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import * as z from 'zod';
import { hooksOf, type HookProvider } from '../../../core/contract/hooks.ts';
import { everyHook } from '../../fakes/hook-world.ts';
import type { Unsigned } from '../../fakes/senders.ts';

/** What a provider sends, and what becomes of it. Exactly one of the last five. */
const payloadSchema = z.strictObject({
  name: z.string(),
  hook: z.string().exactOptional(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
  delivery: z.string().optional(),
  pushes: z.array(z.string()).optional(),
  images: z.array(z.string()).optional(),
  pulls: z.array(z.string()).optional(),
  ignored: z.string().optional(),
  invalid: z.string().optional(),
});
export type Payload = z.infer<typeof payloadSchema>;

/** Every provider that has a hook: one without a file of payloads fails. */
export const providers: readonly HookProvider[] = [
  ...new Set(hooksOf(everyHook).map(({ provider }) => provider)),
];

const read = new Map<HookProvider, readonly Payload[]>();

export function payloadsOf(provider: HookProvider): readonly Payload[] {
  const known = read.get(provider) ?? readPayloads(provider);
  read.set(provider, known);
  return known;
}

function readPayloads(provider: HookProvider): readonly Payload[] {
  const file = new URL(`payloads/${provider}.yaml`, import.meta.url);
  return z.array(payloadSchema).parse(load(readFileSync(file, 'utf8')));
}

/** A secret that every provider takes: long enough for a path; of OIDC it is the token that the fake issuer knows. */
export function secretOf(provider: HookProvider): string {
  return provider === 'oidc' || provider === 'gcr' ? 'good' : '0123456789abcdef0123456789abcdef';
}

/** The request of a payload, before it is signed. */
export function unsigned(provider: HookProvider, { headers, body, hook }: Payload): Unsigned {
  const message = { headers, body: JSON.stringify(body), secret: secretOf(provider) };
  return hook === undefined ? message : { ...message, hook };
}
