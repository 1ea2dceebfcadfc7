import type * as z from 'zod';
import type { Target } from '../model/target.ts';
import { environmentRows } from '../view/environments.ts';
import { fleetPage } from '../view/fleet.ts';
import { compareInstants, instantAt } from './ask-instant.ts';
import { applicationsMap } from './ask-applications.ts';
import { clusterRows, fleetInput } from './ask-fleet.ts';
import { insightsOf } from './ask-insights.ts';
import { liveObject, logsOf } from './ask-live.ts';
import { mapOf } from './ask-map.ts';
import { objectDetail, readDrift, readRun } from './ask-records.ts';
import { ownRuns } from './ask-runs.ts';
import { targetDetail } from './ask-target.ts';
import { seeTarget } from './see-target.ts';
import { timelineOf } from './ask-timeline.ts';
import type { ApiDeps } from './deps.ts';
import { defaultProject, highestRole, maySee, projectOf, type Person } from './person.ts';
import { deliveryRows } from './replay-delivery.ts';
import { runBriefOf } from './records.ts';
import { routes, type Route, type RouteName } from './routes.ts';
import { ApiProblem } from './problem.ts';
import { schemaWords } from '../model/schema-words.ts';

/** A question as it came. */
export interface Asked {
  readonly query: Readonly<Record<string, string>>;
  /** Of questions about one; names are empty elsewhere. */
  readonly target: Target;
  readonly person: Person;
}

type Answerer = (asked: Asked, deps: ApiDeps) => Promise<unknown>;

/** Checks the form of a question, and by its types that of the answer. */
function answering<Q extends z.ZodType, A extends z.ZodType>(
  { input }: Route<Q, A>,
  work: (asked: Asked & { readonly input: z.infer<Q> }, deps: ApiDeps) => Promise<z.infer<A>>,
): Answerer {
  return async (asked, deps) => {
    const parsed = input.safeParse(asked.query);
    if (parsed.success) return work({ ...asked, input: parsed.data }, deps);
    const faults = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.')}: ${schemaWords(message)}`,
    );
    throw new ApiProblem(400, 'The question has a fault.', faults.join('; '));
  };
}

/** What each question is answered with; of a target only to who may see it. */
export const answers: Readonly<Record<RouteName, Answerer>> = {
  session: answering(routes.session, async ({ person }, { config, version }) =>
    Promise.resolve({
      name: person.name,
      role: highestRole(person),
      projects: [...new Set(person.grants.flatMap(({ projects }) => projects))],
      fleet: config.fleet,
      version,
    }),
  ),
  fleet: answering(routes.fleet, async ({ input, person }, deps) => {
    const { views, ...rest } = await fleetInput(deps);
    return fleetPage(
      {
        ...rest,
        views: views.filter((view) => maySee(person, projectOf(view.pointer, deps.config.repositories))),
      },
      input,
    );
  }),
  clusters: answering(routes.clusters, async ({ person }, deps) => clusterRows(person, deps)),
  deliveries: answering(routes.deliveries, async ({ person }, deps) => deliveryRows(person, deps)),
  environments: answering(routes.environments, async ({ person }, { store, config }) =>
    environmentRows(
      store,
      config.repositories.filter(({ project }) => maySee(person, project ?? defaultProject)),
    ),
  ),
  applications: answering(routes.applications, async ({ input, person }, deps) =>
    applicationsMap(input, person, deps),
  ),
  target: answering(routes.target, async (asked, deps) => targetDetail(await seeTarget(asked, deps), deps)),
  object: answering(routes.object, async (asked, deps) =>
    objectDetail(await seeTarget(asked, deps), asked.input.key, deps),
  ),
  runs: answering(routes.runs, async (asked, deps) => {
    const seen = await seeTarget(asked, deps);
    const wanted = { now: deps.clock.now(), most: asked.input.limit };
    const runs = await ownRuns(seen, wanted, deps.store);
    return runs.map((run) => runBriefOf(run, seen.cloneUrl));
  }),
  run: answering(routes.run, async (asked, deps) =>
    readRun(await seeTarget(asked, deps), asked.input.key, deps),
  ),
  drift: answering(routes.drift, async (asked, deps) => {
    const wanted = { now: deps.clock.now(), days: asked.input.days };
    return [...(await readDrift(await seeTarget(asked, deps), wanted, deps))];
  }),
  map: answering(routes.map, async (asked, deps) => mapOf(await seeTarget(asked, deps), asked.input, deps)),
  instant: answering(routes.instant, async (asked, deps) =>
    instantAt(await seeTarget(asked, deps), asked.input.time, deps),
  ),
  comparison: answering(routes.comparison, async (asked, deps) =>
    compareInstants(await seeTarget(asked, deps), asked.input, deps),
  ),
  live: answering(routes.live, async (asked, deps) =>
    liveObject(await seeTarget(asked, deps), asked.input.key, deps),
  ),
  logs: answering(routes.logs, async (asked, deps) =>
    logsOf(await seeTarget(asked, deps), asked.input, deps),
  ),
  timeline: answering(routes.timeline, async ({ input, person }, deps) => timelineOf(input, person, deps)),
  insights: answering(routes.insights, async ({ input, person }, deps) => insightsOf(input, person, deps)),
};
