import * as z from 'zod';
import {
  actionBodySchemas,
  comparisonSchema,
  doneSchema,
  driftEpisodeSchema,
  fleetQuerySchema,
  fleetSchema,
  insightsSchema,
  instantSchema,
  mapSchema,
  objectDetailSchema,
  runBriefSchema,
  runDetailSchema,
  sessionSchema,
  targetDetailSchema,
  timelineSchema,
  type Action,
} from './contract.ts';
import { clusterRowSchema, deliveryRowSchema, environmentRowSchema } from './contract-installation.ts';
import { liveObjectSchema, logsSchema } from './contract-live.ts';

/** One question of the API: where it is asked, with what, and the form of its answer. */
export interface Route<Q extends z.ZodType = z.ZodType, A extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1/`; parts in braces are names. */
  readonly path: string;
  readonly summary: string;
  /** Of the query of a GET, of the body of a POST. */
  readonly input: Q;
  readonly answer: A;
}

function route<Q extends z.ZodType, A extends z.ZodType>(
  place: `${'GET' | 'POST'} ${string}`,
  summary: string,
  answer: A,
  input: Q,
): Route<Q, A> {
  const [method, path = ''] = place.split(' ');
  return { method: method === 'POST' ? 'POST' : 'GET', path, summary, input, answer };
}

const nothing = z.object({});
const when = z.iso.datetime({ offset: true });
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits');
const instant = z.union([when, digest]);
const span = z.object({
  cluster: z.string().exactOptional(),
  application: z.string().exactOptional(),
  from: when.exactOptional(),
  to: when.exactOptional(),
});

/** Every question, by the name that its answer has in code. */
export const routes = {
  session: route('GET session', 'Who asks, and what they may do', sessionSchema, nothing),
  fleet: route('GET fleet', 'Targets that fit a search, a page of them', fleetSchema, fleetQuerySchema),
  clusters: route('GET clusters', 'Clusters that are served', z.array(clusterRowSchema), nothing),
  deliveries: route(
    'GET deliveries',
    'What Git hosts and registries told, newest first',
    z.array(deliveryRowSchema),
    nothing,
  ),
  environments: route(
    'GET environments',
    'Environments that commits are promoted to: what each follows, and what waits',
    z.array(environmentRowSchema),
    nothing,
  ),
  applications: route(
    'GET map',
    'Applications and what each depends on: of one cluster, one project, or all',
    mapSchema,
    z.object({ cluster: z.string().exactOptional(), project: z.string().exactOptional() }),
  ),
  target: route('GET targets/{cluster}/{application}', 'One target, whole', targetDetailSchema, nothing),
  object: route(
    'GET targets/{cluster}/{application}/object',
    'One object of it: as Git has it, as it was applied, what differs',
    objectDetailSchema,
    z.object({ key: z.string().min(1) }),
  ),
  runs: route(
    'GET targets/{cluster}/{application}/runs',
    'Its runs, newest first',
    z.array(runBriefSchema),
    z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
  ),
  run: route(
    'GET targets/{cluster}/{application}/run',
    'One run, step by step',
    runDetailSchema,
    z.object({ key: z.string().min(1).describe('as a RunBrief names it') }),
  ),
  drift: route(
    'GET targets/{cluster}/{application}/drift',
    'Its drift episodes, newest first',
    z.array(driftEpisodeSchema),
    z.object({ days: z.coerce.number().int().min(1).max(90).default(14) }),
  ),
  map: route(
    'GET targets/{cluster}/{application}/map',
    'Its objects and what leads where; with two snapshots, or what is live, what changes between them',
    mapSchema,
    z.object({
      base: digest.exactOptional(),
      head: digest.exactOptional(),
      against: z
        .literal('live')
        .exactOptional()
        .describe('in place of `base`: what the cluster has, as it was last seen'),
    }),
  ),
  instant: route(
    'GET targets/{cluster}/{application}/at',
    'What was here at a time',
    instantSchema,
    z.object({ time: when }),
  ),
  comparison: route(
    'GET targets/{cluster}/{application}/diff',
    'What two instants or two snapshots differ in',
    comparisonSchema,
    z.object({
      from: instant.describe('time, or digest of a snapshot'),
      to: instant.describe('time, or digest of a snapshot'),
    }),
  ),
  live: route(
    'GET targets/{cluster}/{application}/live',
    'One object as it is on the cluster now, with its events and pods; where TargetDetail says `live`',
    liveObjectSchema,
    z.object({ key: z.string().min(1) }),
  ),
  logs: route(
    'GET targets/{cluster}/{application}/logs',
    'The last lines of a container of a pod that `live` names; where TargetDetail says `live`',
    logsSchema,
    z.object({
      key: z.string().min(1).describe('of the object that runs the pod'),
      pod: z.string().min(1),
      container: z.string().min(1),
      previous: z.stringbool().default(false).describe('of the container before its last restart'),
      lines: z.coerce.number().int().min(1).max(5000).default(300),
    }),
  ),
  timeline: route(
    'GET timeline',
    'What happened, of one target, one cluster or all; the last day where no time is given',
    timelineSchema,
    span,
  ),
  insights: route(
    'GET insights',
    'Drift, times and cost of the last days',
    insightsSchema,
    z.object({ days: z.coerce.number().int().min(1).max(90).default(30) }),
  ),
} as const;
export type RouteName = keyof typeof routes;

const actionSummaries: Readonly<Record<Action, string>> = {
  sync: 'Make the cluster match Git now, drift included, whatever the modes say',
  cancel: 'Stop what is under way before its next step; the rest waits for a sync or a commit',
  restart: 'Replace the pods of its workloads, few at a time',
  heal: 'Put back what drifted and what the modes and rules say is to be healed',
  suspend: 'Write nothing here until somebody resumes it, or its time is over',
  resume: 'End a suspension',
  rollback: 'Go back to what was here before, and stay there',
  lift: 'End a rollback: follow commits again',
  'confirm-prune': 'Agree to a prune that was held above the cap',
  'accept-drift': 'Take live values as they are',
};

/** Actions on one target, by the last part of their path. */
export const actionRoutes: readonly Route[] = Object.entries(actionBodySchemas).map(([name, body]) =>
  route(
    `POST targets/{cluster}/{application}/${name}`,
    actionSummaries[name as Action],
    doneSchema,
    body as z.ZodType,
  ),
);

/** What is done with a delivery, which is of no project: for operators of all of them. */
export const replayRoute = route(
  'POST deliveries/{provider}/{id}/replay',
  'Read what a Git host or registry told again, with the configuration of today',
  doneSchema,
  z.strictObject({}),
);
