import * as z from 'zod';
import { jsonSchema } from './json.ts';
import { objectRefSchema } from './object.ts';
import { driftModeSchema } from './rule.ts';
import { targetSchema } from './target.ts';
import { traceSchema } from './trace.ts';

/** Who made a write, as the API server's audit log has it. */
export const whoSchema = z.object({
  user: z.string(),
  /** Set when the user acted as somebody else. */
  impersonated: z.string().optional(),
  groups: z.array(z.string()).default([]),
  addresses: z.array(z.string()).default([]),
  userAgent: z.string().optional(),
  verb: z.string(),
  at: z.string(),
  auditId: z.string(),
});
export type Who = z.infer<typeof whoSchema>;

/** One drifted field. Classes as the design defines them; values of Secrets are keyed digests. */
export const fieldDriftSchema = z.object({
  class: z.enum(['changed', 'removed', 'dropped', 'ownership', 'foreign']),
  path: z
    .string()
    .describe('as kubectl explains it, list items by their keys: spec.containers[name="app"].image'),
  pointer: z
    .string()
    .optional()
    .describe('the same for rules, as a JSON pointer: of the whole value where `path` goes into a long one'),
  desired: jsonSchema.optional(),
  live: jsonSchema.optional(),
  manager: z.string().optional().describe('field manager that owns the live value'),
  operation: z.string().optional(),
  at: z.string().optional().describe('when that manager last wrote, ISO 8601'),
  mode: driftModeSchema.exclude(['ignore']).optional().describe('what the rules say of it; absent: heal'),
});
export type FieldDrift = z.infer<typeof fieldDriftSchema>;

/** Drift of one object. `fields` is empty for missing and extra objects. */
export const objectDriftSchema = z.object({
  ref: objectRefSchema,
  kind: z.enum(['fields', 'missing', 'extra']),
  fields: z.array(fieldDriftSchema),
  mode: driftModeSchema.exclude(['ignore']).optional().describe('of a missing or extra object; absent: heal'),
});
export type ObjectDrift = z.infer<typeof objectDriftSchema>;

/** A heal loop: somebody changes a field again after each heal, so that it is left alone. */
export const healLoopSchema = z.object({
  manager: z
    .string()
    .describe('the rival: field manager, or user where only the audit log knows; else `unknown`'),
  flips: z.number().int(),
  since: z.string().describe('when the first of these heals was, ISO 8601'),
});

/** One record per episode, updated by compare-and-set, not one per sweep. */
export const driftRecordSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  target: targetSchema,
  repository: z.string().exactOptional().describe('whose the application was then'),
  drift: objectDriftSchema,
  mode: driftModeSchema,
  openedAt: z.string().describe('when the sweep found it'),
  happenedAt: z.string().optional().describe('earliest write of the managers at fault, from managedFields'),
  lastSeenAt: z.string(),
  who: whoSchema.optional().describe('of the audit log, where there is one'),
  inOrderAt: z
    .string()
    .exactOptional()
    .describe('of the last complete check before, while an audit log may still tell who it was'),
  /** Set when healing stopped because the same path flipped again and again: the rival, and how often. */
  loop: healLoopSchema.optional(),
  state: z.enum(['open', 'healed', 'reverted', 'overwritten', 'accepted']),
  closedAt: z.string().optional(),
  trace: traceSchema.exactOptional().describe('of the check that found it'),
  runId: z.string().optional().describe('the run that healed or overwrote it'),
  secondsToDetect: z.number().optional(),
  secondsToHeal: z.number().optional(),
});
export type DriftRecord = z.infer<typeof driftRecordSchema>;

/** Open episodes of one target by object key. Deleted with its last episode, so that listing these finds all drift. */
export const openDriftSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  target: targetSchema,
  episodes: z.record(
    z.string(),
    z.object({
      record: z.string(),
      openedAt: z.string(),
      digest: z.string().describe('of the drift as recorded; empty until record and event are out'),
      kind: objectDriftSchema.shape.kind,
      since: z.string().describe('when it happened where managedFields say so, else when it was found'),
      fields: z.number().int().describe('drifted fields without the foreign ones'),
      foreign: z.number().int().describe('foreign fields: reported, never alarmed'),
      healable: z
        .number()
        .int()
        .default(0)
        .describe(
          'fields that a heal puts right, foreign ones that a rule names included; 1 for a missing object',
        ),
      held: z
        .number()
        .int()
        .default(0)
        .describe('fields of ours that a heal leaves alone: observed, or a broken loop'),
      loop: z.boolean().optional().describe('set while a heal loop of the object is broken'),
    }),
  ),
});
export type OpenDrift = z.infer<typeof openDriftSchema>;
