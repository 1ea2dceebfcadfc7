import * as z from 'zod';
import type { HookRequest } from './hook-request.ts';
import type { Reading } from './reading.ts';

type Invalid = Extract<Reading, { kind: 'invalid' }>;

/** A commit; forty zeros stand for none. */
export const shaSchema = z.string().regex(/^[0-9a-f]{40}$/, 'must be 40 hex digits');
/** Of a pull request, where some hosts abbreviate it. */
export const headShaSchema = z.string().regex(/^[0-9a-f]{7,40}$/, 'must be hex digits of a commit');
/** Number of a pull request: what is asked of the host has it in its address. */
export const pullIdSchema = z
  .union([z.number().int().positive(), z.string().regex(/^[0-9]{1,18}$/)])
  .transform(String);
export const branchSchema = z
  .string()
  .min(1)
  .max(1024)
  .transform((ref) => ref.replace(/^refs\/heads\//, ''));
export const urlSchema = z.string().max(2048);
export const refSchema = z.string().max(1024).startsWith('refs/');
export const repositoryNameSchema = z.string().min(1).max(300);
export const tagSchema = z.string().regex(/^\w[\w.-]{0,127}$/, 'must be a tag');
export const digestSchema = z
  .string()
  .regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, 'must be a digest');

/** Ids of deliveries become parts of S3 keys. */
export const deliveryIdSchema = z
  .string()
  .transform((id) => id.replace(/^\{(.*)\}$/, '$1'))
  .pipe(z.string().regex(/^[\w-]{1,100}$/, 'must be the id of the delivery'));

/** What a body, a set of headers or a part of them holds, or why that cannot be said. */
export function parsePart<S extends z.ZodType>(
  part: string,
  schema: S,
  value: unknown,
): { readonly kind: 'read'; readonly value: z.infer<S> } | Invalid {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'read', value: parsed.data };
  // Paths and expectations; never what stands there.
  const faults = parsed.error.issues.slice(0, 5).map((issue) => {
    const at = issue.path.join('.');
    return at === '' ? inWords(issue) : `${at}: ${inWords(issue)}`;
  });
  return invalid(`${part} ${faults.join('; ')}`);
}

/** For whoever set up the webhook, and not for whoever wrote the schema. */
function inWords(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  return issue.message.endsWith('received undefined')
    ? 'is missing'
    : `must be of the type ${issue.expected}`;
}

export function invalid(reason: string): Invalid {
  return { kind: 'invalid', reason };
}

/** The body as JSON of a certain shape. A form is told apart, since it is one choice in the settings of the webhook. */
export function readBody<S extends z.ZodType>(
  request: HookRequest,
  schema: S,
): { readonly kind: 'read'; readonly value: z.infer<S> } | Invalid {
  if (/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) {
    return invalid('choose the content type application/json in the settings of the webhook');
  }
  const json = parseJson(request.text);
  return json === undefined ? invalid('the body is not JSON') : parsePart('body', schema, json);
}

/** `undefined` stands for what is not JSON; JSON itself has no such value. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
