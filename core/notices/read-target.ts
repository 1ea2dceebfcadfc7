import { canaryApplication } from '../contract/canary.ts';
import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import type { HealthStatus } from '../model/health.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { News } from '../model/notice.ts';
import type { Hint } from '../model/notice-memory.ts';
import type { Target } from '../model/target.ts';
import { secondsBetween } from '../model/time.ts';
import type { Store } from '../ports.ts';
import { aboutTarget, causesOf, newsOf, type AboutTarget, type ReadDeps } from './about-target.ts';
import { recordLink } from '../notify/links.ts';
import { driftNews, healedNews } from './read-drift.ts';
import { nothing, type Reading } from '../notify/reading.ts';
import { scrub } from '../model/scrub.ts';

/** What an application deployed longer ago is no news any more. */
const freshSeconds = 3600;

/**
 * How a target stands by its records: the run, the health, the drift. One that is gone has no problem any more, and the
 * canary is changed on purpose.
 */
export async function readTarget(
  target: Target,
  hint: Pick<Hint, 'healed' | 'rolledBack'>,
  deps: ReadDeps & { readonly check: (cluster: string) => Promise<ClusterCheck | undefined> },
  at: string,
): Promise<Reading> {
  if (target.application === canaryApplication) return nothing;
  const { store } = deps;
  const [pointer, inventory] = await Promise.all([
    readDocument(store, keys.desired(target), desiredPointerSchema),
    readDocument(store, keys.inventory(target), inventorySchema),
  ]);
  if (pointer === undefined || isGone(pointer.value, inventory?.value)) return nothing;
  const about = aboutTarget(pointer.value, deps);
  const [check, drift, healed] = await Promise.all([
    deps.check(target.cluster),
    driftNews(target, about, store),
    healedNews(hint.healed ?? [], about, store),
  ]);
  const known = inventory?.value;
  const health = newestHealth(target, known, check);
  const run = runNews(known, about);
  const isUnclear = health === undefined || health.status === 'Progressing' || health.status === 'Unknown';
  const deployed = deployedNews(pointer.value, known, health, about, at);
  return {
    found: [...(run.news ?? []), ...healthNews(health, about), ...drift],
    unknown: [...(run.isUnclear ? ['run-failed' as const] : []), ...(isUnclear ? ['degraded' as const] : [])],
    infos: [...healed, ...rolledBackNews(hint, about)],
    ...(deployed !== undefined && { deployed }),
  };
}

function isGone({ state }: DesiredPointer, inventory: Inventory | undefined): boolean {
  return state === 'gone' && Object.keys(inventory?.entries ?? {}).length === 0;
}

function runNews(
  inventory: Inventory | undefined,
  about: AboutTarget,
): { readonly news?: readonly News[]; readonly isUnclear: boolean } {
  const last = inventory?.lastRun;
  // One that waits or stopped in time says nothing of the one before.
  if (last === undefined || last.outcome === 'waiting' || last.outcome === 'cancelled')
    return { isUnclear: true };
  if (last.outcome === 'applied') return { isUnclear: false };
  const { cluster, application } = about.target;
  const { severityOf, ...common } = newsOf(about);
  const again = last.retry ? 'It is tried again. ' : '';
  const news: News = {
    ...common,
    event: 'run-failed',
    severity: severityOf('error'),
    headline: `${common.subject}: the run ${last.outcome === 'failed' ? 'failed' : 'is blocked'}`,
    text: scrub(last.message),
    todo: `${again}trueup history --app ${application} --cluster ${cluster} tells more; mend it in Git, or go back with trueup rollback --app ${application} --cluster ${cluster}`,
    causes: causesOf('rollout', about),
    links: [recordLink(about.place, last.key), ...common.links],
  };
  return { news: [news], isUnclear: false };
}

interface SeenHealth {
  readonly status: HealthStatus;
  readonly message: string;
  readonly at: string;
}

/** A run may have looked since the last sweep did. */
function newestHealth(
  { application }: Target,
  inventory: Inventory | undefined,
  check: ClusterCheck | undefined,
): SeenHealth | undefined {
  const swept = check?.targets[application];
  const seen = swept && { status: swept.health, message: swept.healthMessage, at: swept.at };
  const run = inventory?.health;
  if (run === undefined || seen === undefined) return run ?? seen;
  return run.at > seen.at ? run : seen;
}

function healthNews(health: SeenHealth | undefined, about: AboutTarget): readonly News[] {
  if (health?.status !== 'Degraded' && health?.status !== 'Missing') return [];
  const { severityOf, ...common } = newsOf(about);
  const { cluster, application } = about.target;
  return [
    {
      ...common,
      event: 'degraded',
      severity: severityOf('error'),
      headline: `${common.subject} is ${health.status}`,
      text: scrub(health.message),
      todo: `trueup status --app ${application} --cluster ${cluster} says what is wrong; trueup history --app ${application} --cluster ${cluster} what was applied when`,
      causes: causesOf('rollout', about),
    },
  ];
}

function deployedNews(
  { revision, state }: DesiredPointer,
  inventory: Inventory | undefined,
  health: SeenHealth | undefined,
  about: AboutTarget,
  at: string,
): Reading['deployed'] {
  const applied = inventory?.applied;
  if (state !== 'present' || applied?.revision !== revision || health?.status !== 'Healthy') return undefined;
  const since = applied.since ?? applied.at;
  if (health.at < since || secondsBetween(since, at) > freshSeconds) return undefined;
  const { severityOf: _, ...common } = newsOf(about);
  const { sha = '', subject = '', author = '' } = about.commit ?? {};
  const news: News = {
    ...common,
    event: 'deployed',
    severity: 'info',
    headline: `${common.subject} is at ${sha.slice(0, 7)}, and healthy`,
    text: `${subject} (${author})`,
    todo: '',
    causes: causesOf('rollout', about).map((cause) => `deployed ${cause}`),
  };
  return { revision, news };
}

function rolledBackNews({ rolledBack }: Pick<Hint, 'rolledBack'>, about: AboutTarget): readonly News[] {
  if (rolledBack === undefined) return [];
  const { severityOf, ...common } = newsOf(about);
  const { by, reason, automatic, from, to } = rolledBack;
  return [
    {
      ...common,
      event: 'rolled-back',
      severity: severityOf(automatic ? 'warning' : 'info'),
      headline: `${common.subject} went back from ${from.slice(0, 7)} to ${to.slice(0, 7)}`,
      text: scrub(automatic ? `by itself: ${reason}` : `by ${by}: ${reason}`),
      todo: automatic
        ? 'Mend or revert the commit in Git: the next one that gives other objects is followed again'
        : `It stays there until trueup rollback --app ${about.target.application} --lift`,
      causes: [`rolled-back commit ${from}`, `rolled-back cluster ${about.target.cluster}`],
    },
  ];
}

/** Reads the check of each cluster once. */
export function checkReader(store: Store): (cluster: string) => Promise<ClusterCheck | undefined> {
  const checks = new Map<string, Promise<ClusterCheck | undefined>>();
  return async (cluster) => {
    const read = async () => (await readDocument(store, keys.check(cluster), clusterCheckSchema))?.value;
    const check = checks.get(cluster) ?? read();
    checks.set(cluster, check);
    return check;
  };
}
