import * as z from 'zod';
import { dashboardRoleSchema } from '../contract/dashboard.ts';
import { commitSchema } from '../model/commit.ts';
import { fieldDriftSchema, whoSchema } from '../model/drift.ts';
import { healthStatusSchema } from '../model/health.ts';
import { objectOutcomeSchema, runCountsSchema } from '../model/run.ts';
import { jsonSchema } from '../model/json.ts';
import { commandsSchema, linksSchema } from './contract-live.ts';

/**
 * What the dashboard asks and is told (issue 8). The OpenAPI description and the web application's types are made from these
 * schemas. Values of Secrets are masked in what is stored, so that no answer ever holds one. Times are ISO 8601.
 */

export const syncSchema = z.enum(['Synced', 'Drifted', 'Pending', 'Reconciling', 'Unknown']);

const commitBriefSchema = z.object({
  sha: z.string(),
  subject: z.string(),
  author: z.string(),
  at: z.string(),
  url: z.string().exactOptional().describe('on the Git host, where its pages are known'),
});

/** One target as the fleet shows it. */
export const fleetRowSchema = z
  .object({
    cluster: z.string(),
    application: z.string(),
    project: z.string().exactOptional(),
    labels: z.record(z.string(), z.string()).describe('of the cluster'),
    revision: z.number().int(),
    commit: commitBriefSchema,
    sync: syncSchema,
    health: healthStatusSchema,
    drift: z.number().int().describe('objects with drift'),
    checkedAt: z.string().exactOptional(),
    appliedAt: z.string().exactOptional(),
    flags: z.array(z.enum(['pinned', 'suspended', 'frozen', 'staged', 'failed', 'confirm'])),
    environment: z
      .object({ application: z.string(), url: z.string() })
      .exactOptional()
      .describe('of a preview environment: of which application, and its pull request'),
    attention: z.number().int().min(0).describe('0: in order; the higher, the sooner a person should look'),
    message: z.string().describe('why it is not in order; empty when it is'),
  })
  .meta({ id: 'FleetRow' });

const countsSchema = z.record(z.string(), z.number().int());

export const fleetSchema = z
  .object({
    rows: z.array(fleetRowSchema),
    offset: z.number().int(),
    total: z.number().int().describe('rows that fit the search, on all pages'),
    counts: z
      .object({ sync: countsSchema, health: countsSchema, attention: z.number().int() })
      .describe('over all that fit the search'),
    facets: z
      .object({ clusters: z.array(z.string()), projects: z.array(z.string()) })
      .describe('what may be filtered by'),
  })
  .meta({ id: 'Fleet' });

export const fleetQuerySchema = z.object({
  q: z.string().max(200).exactOptional().describe('words that cluster, application, commit or message hold'),
  cluster: z.string().exactOptional(),
  application: z.string().exactOptional(),
  project: z.string().exactOptional(),
  label: z.string().exactOptional().describe('of the cluster: key=value'),
  sync: syncSchema.exactOptional(),
  health: healthStatusSchema.exactOptional(),
  sort: z.enum(['attention', 'name', 'checked']).default('attention'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  offset: z.coerce.number().int().min(0).default(0),
  after: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, 'must be CLUSTER/APPLICATION')
    .exactOptional()
    .describe(
      'CLUSTER/APPLICATION of the last row of the page before: by names, whatever `sort` says, so that no row is missed or told twice while others change',
    ),
});

export const runBriefSchema = z
  .object({
    id: z.string(),
    key: z.string().describe('of its record'),
    reason: z.string(),
    requestedBy: z.string(),
    revision: z.number().int(),
    snapshot: z.string(),
    commit: commitBriefSchema,
    startedAt: z.string(),
    endedAt: z.string().exactOptional(),
    outcome: z.enum(['applied', 'failed', 'blocked', 'cancelled', 'waiting', 'running']),
    message: z.string(),
    counts: runCountsSchema.exactOptional(),
  })
  .meta({ id: 'RunBrief' });

export const objectRowSchema = z
  .object({
    key: z.string().describe('group/kind/namespace/name'),
    group: z.string(),
    kind: z.string(),
    namespace: z.string().exactOptional(),
    name: z.string(),
    state: z.enum(['applied', 'intent', 'deleting', 'desired']).describe('desired: in Git, not applied yet'),
    origin: z.string().exactOptional().describe('file and line in the repository, where the renderer knows'),
    health: healthStatusSchema,
    healthMessage: z.string(),
    drift: z.enum(['fields', 'missing', 'extra']).exactOptional(),
    kept: z.string().exactOptional().describe('why it is still there although nothing desires it'),
  })
  .meta({ id: 'ObjectRow' });

export const driftEpisodeSchema = z
  .object({
    id: z.string(),
    record: z.string(),
    key: z.string(),
    kind: z.enum(['fields', 'missing', 'extra']),
    state: z.enum(['open', 'healed', 'reverted', 'overwritten', 'accepted']),
    mode: z.string(),
    openedAt: z.string(),
    happenedAt: z.string().exactOptional(),
    closedAt: z.string().exactOptional(),
    secondsToDetect: z.number().exactOptional(),
    secondsToHeal: z.number().exactOptional(),
    who: whoSchema.exactOptional(),
    managers: z.array(z.string()),
    fields: z.array(fieldDriftSchema),
    loop: z.string().exactOptional(),
  })
  .meta({ id: 'DriftEpisode' });

export const targetDetailSchema = z
  .object({
    row: fleetRowSchema,
    repository: z.string(),
    ref: z.string(),
    snapshot: z.string(),
    applied: z
      .object({ revision: z.number().int(), snapshot: z.string(), commit: commitBriefSchema, at: z.string() })
      .exactOptional(),
    sync: z.enum(['auto', 'manual']),
    drift: z.string().describe('what is done about drift'),
    pin: z.string().exactOptional().describe('who rolled it back, why and until when'),
    suspension: z.string().exactOptional(),
    waiting: z.string().exactOptional(),
    faults: z.array(z.object({ subject: z.string(), message: z.string() })),
    objects: z.array(objectRowSchema),
    open: z.array(driftEpisodeSchema),
    runs: z.array(runBriefSchema).describe('the newest'),
    confirm: z.number().int().exactOptional().describe('objects that a held prune would delete'),
    actions: z.array(z.string()).describe('what who asks may do here'),
    links: linksSchema,
    live: z
      .boolean()
      .describe('whether `live` and `logs` are answered: by `trueup ui` with a kubeconfig alone'),
  })
  .meta({ id: 'TargetDetail' });

export const objectDetailSchema = z
  .object({
    row: objectRowSchema,
    desired: jsonSchema.describe('as Git has it, values of Secrets masked; null where it is only live'),
    applied: jsonSchema.describe('as it was applied last; null where it was not'),
    drift: driftEpisodeSchema.exactOptional(),
    links: linksSchema,
    commands: commandsSchema,
  })
  .meta({ id: 'ObjectDetail' });

export const runDetailSchema = z
  .object({
    run: runBriefSchema,
    commit: commitSchema,
    actions: z.array(z.object({ key: z.string(), action: z.string(), why: z.string() })),
    objects: z.array(objectOutcomeSchema),
    faults: z.array(z.object({ subject: z.string(), message: z.string() })),
    refusal: z.string().exactOptional(),
  })
  .meta({ id: 'RunDetail' });

const eventKinds = [
  'push',
  'image',
  'run',
  'drift',
  'heal',
  'rollback',
  'health',
  'hold',
  'notice',
  'delivery',
] as const;

export const mapSchema = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        name: z.string(),
        namespace: z.string().exactOptional(),
        application: z.string(),
        cluster: z.string().exactOptional().describe('of a node that is an application'),
        sync: syncSchema.exactOptional().describe('of a node that is an application'),
        role: z.enum([
          'entry',
          'service',
          'workload',
          'config',
          'identity',
          'policy',
          'application',
          'other',
        ]),
        health: healthStatusSchema.exactOptional(),
        drift: z.boolean(),
        change: z
          .enum(['created', 'changed', 'removed'])
          .exactOptional()
          .describe('from base to head, or from what is live to what is desired'),
      }),
    ),
    edges: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        kind: z.enum(['routes', 'selects', 'uses', 'owns', 'scales', 'guards', 'depends']),
      }),
    ),
    left: z.number().int().describe('objects that are not drawn'),
  })
  .meta({ id: 'Topology' });

export const timelineEventSchema = z
  .object({
    at: z.string(),
    until: z.string().exactOptional(),
    kind: z.enum(eventKinds),
    state: z.enum(['good', 'bad', 'running', 'neutral']),
    cluster: z.string().exactOptional(),
    application: z.string().exactOptional(),
    title: z.string(),
    detail: z.string(),
    link: z.string().exactOptional().describe('path in the dashboard'),
  })
  .meta({ id: 'TimelineEvent' });

export const timelineSchema = z
  .object({
    events: z.array(timelineEventSchema).describe('newest first'),
    from: z.string(),
    to: z.string(),
    cut: z.boolean().describe('there were more than are told'),
  })
  .meta({ id: 'Timeline' });

/** What a target had at an instant, by its run records. */
export const instantSchema = z
  .object({
    at: z.string(),
    snapshot: z.string().exactOptional(),
    run: runBriefSchema.exactOptional(),
    objects: z.array(z.string()).describe('keys'),
    drift: z.array(driftEpisodeSchema).describe('that was open then'),
  })
  .meta({ id: 'Instant' });

export const comparisonSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    objects: z.array(
      z.object({
        key: z.string(),
        change: z.enum(['created', 'changed', 'removed']),
        fields: z.array(
          z.object({ path: z.string(), from: jsonSchema.optional(), to: jsonSchema.optional() }),
        ),
      }),
    ),
  })
  .meta({ id: 'Comparison' });

const sharesSchema = z.array(z.object({ name: z.string(), count: z.number().int() }));

export const insightsSchema = z
  .object({
    days: z.number().int(),
    drift: z.object({
      episodes: z.number().int(),
      byCluster: sharesSchema,
      byKind: sharesSchema,
      byManager: sharesSchema,
      byDay: z.array(z.object({ day: z.string(), count: z.number().int() })),
    }),
    secondsToDetect: z.object({ median: z.number().exactOptional(), p95: z.number().exactOptional() }),
    secondsToHeal: z.object({ median: z.number().exactOptional(), p95: z.number().exactOptional() }),
    leadSeconds: z
      .object({ median: z.number().exactOptional(), p95: z.number().exactOptional() })
      .describe('from commit to applied'),
    runs: z.object({ total: z.number().int(), failed: z.number().int() }),
    cost: z
      .object({
        month: z.string().describe('YYYY-MM'),
        usd: z.number().describe('the month so far'),
        wholeMonth: z.number().describe('USD, if it goes on like this'),
        of: z.string().describe('what it is an estimate of, in a sentence'),
        parts: z.array(z.object({ name: z.string(), usd: z.number() })),
      })
      .exactOptional()
      .describe('computed by the counts and list prices of docs/cost.md, and never billed'),
  })
  .meta({ id: 'Insights' });

export const sessionSchema = z
  .object({
    name: z.string(),
    role: dashboardRoleSchema.describe('the highest of those that they have in some project'),
    projects: z.array(z.string()).describe('that they see; `*`: all'),
    fleet: z.string(),
    version: z.string(),
  })
  .meta({ id: 'Session' });

/** An error as `application/problem+json` (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string().describe('what happened, to what'),
    status: z.number().int(),
    detail: z.string().describe('what to do'),
  })
  .meta({ id: 'Problem' });

/** What an action asks for, besides the target in its path; each is recorded with who asked. */
export const actionBodySchemas = {
  sync: z.strictObject({}),
  cancel: z.strictObject({}),
  restart: z.strictObject({}),
  heal: z.strictObject({}),
  suspend: z.strictObject({ reason: z.string().min(1).max(300), until: z.iso.datetime().exactOptional() }),
  resume: z.strictObject({}),
  rollback: z.strictObject({
    to: z.string().exactOptional().describe('run, revision, commit or snapshot; default: what was before'),
    reason: z.string().min(1).max(300),
    until: z.iso.datetime().exactOptional(),
  }),
  lift: z.strictObject({}),
  'confirm-prune': z.strictObject({ objects: z.number().int().positive() }),
  'accept-drift': z.strictObject({ record: z.string(), reason: z.string().min(1).max(300) }),
} as const;
export type Action = keyof typeof actionBodySchemas;

export const doneSchema = z.object({ done: z.string().describe('in a sentence') }).meta({ id: 'Done' });

export type FleetRow = z.infer<typeof fleetRowSchema>;
export type Fleet = z.infer<typeof fleetSchema>;
export type FleetQuery = z.infer<typeof fleetQuerySchema>;
export type TargetDetail = z.infer<typeof targetDetailSchema>;
export type ObjectRow = z.infer<typeof objectRowSchema>;
export type ObjectDetail = z.infer<typeof objectDetailSchema>;
export type RunBrief = z.infer<typeof runBriefSchema>;
export type RunDetail = z.infer<typeof runDetailSchema>;
export type DriftEpisode = z.infer<typeof driftEpisodeSchema>;
export type Topology = z.infer<typeof mapSchema>;
export type TimelineEvent = z.infer<typeof timelineEventSchema>;
export type Timeline = z.infer<typeof timelineSchema>;
export type Instant = z.infer<typeof instantSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type Insights = z.infer<typeof insightsSchema>;
export type SessionView = z.infer<typeof sessionSchema>;
export type Problem = z.infer<typeof problemSchema>;
