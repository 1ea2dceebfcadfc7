import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import * as z from 'zod';
import type { HookRequest } from '../../core/receive/hook-request.ts';

const payloadSchema = z.record(z.string(), z.unknown());
const listSchema = z.array(z.object({ name: z.string(), examples: z.array(payloadSchema) }));
const examples = listSchema.parse(createRequire(import.meta.url)('@octokit/webhooks-examples'));

export type Payload = z.infer<typeof payloadSchema>;

/** GitHub's payloads as published in `@octokit/webhooks-examples`. */
export function examplesOf(event: string): readonly Payload[] {
  return examples.find(({ name }) => name === event)?.examples ?? [];
}

/** The published push of a branch, changed where a test says so. */
export function pushOf(change: Payload = {}): Payload {
  const branchPush = examplesOf('push').find(({ ref }) => ref === 'refs/heads/master');
  return { ...branchPush, ...change };
}

export const hookSecret = 'current-secret';
export const defaultId = '72d3162e-cc78-11e3-81ab-4c9367dc0958';

export interface Delivery {
  readonly id?: string;
  readonly event?: string;
  readonly body?: string | Uint8Array;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly method?: string;
  readonly path?: string;
}

/** A request as GitHub sends it, truly signed over its raw bytes unless `headers` say otherwise. */
export function delivery(options: Delivery = {}): HookRequest {
  const body = Buffer.from(options.body ?? JSON.stringify(pushOf()));
  const hmac = (algorithm: string) =>
    createHmac(algorithm, options.secret ?? hookSecret)
      .update(body)
      .digest('hex');
  return {
    method: options.method ?? 'POST',
    path: options.path ?? '/hooks/github',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': options.id ?? defaultId,
      'x-github-event': options.event ?? 'push',
      'x-github-hook-id': '292430182',
      'x-hub-signature': `sha1=${hmac('sha1')}`,
      'x-hub-signature-256': `sha256=${hmac('sha256')}`,
      ...options.headers,
    },
    body,
    text: body.toString('utf8'),
    sourceIp: '192.0.2.1',
  };
}
