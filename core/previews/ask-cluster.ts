import type { ClusterAsk } from '../contract/events.ts';
import { keys } from '../contract/keys.ts';
import { readDocument, writeDocument } from '../documents.ts';
import { Blocked, Retry, Stop, messageOf } from '../errors.ts';
import type { DesiredPointer } from '../model/desired.ts';
import {
  clusterQuestionSchema,
  pullPreviewSchema,
  type AnsweredTarget,
  type ClusterAnswer,
  type ClusterQuestion,
} from '../model/pull-preview.ts';
import type { Preview } from '../model/preview.ts';
import type { RunRequest } from '../model/run.ts';
import { isoTime } from '../model/time.ts';
import { previewRun } from '../preview.ts';
import { OverlayStore } from '../preview/overlay-store.ts';
import type { Bus } from '../ports.ts';
import { Halted } from '../reconcile/halted.ts';
import type { ReconcileDeps } from '../reconcile/run-context.ts';
import { KeptStore } from './kept-store.ts';

export interface AskClusterDeps extends ReconcileDeps {
  readonly bus: Bus;
}

/** Shown of one target; the counts are of all. */
const mostChanges = 30;
const mostFields = 10;

/**
 * Says by a dry run what a pull request would do on a cluster, with the plan that a run would make, and stores the answer
 * for whoever previews it: that one reads what strangers wrote, and has no access to any cluster. Changes nothing.
 */
export async function askCluster(request: ClusterAsk, deps: AskClusterDeps): Promise<string> {
  const { repository, id, head, cluster } = request;
  const { store, clock } = deps;
  const known = await readDocument(store, keys.preview(repository, id), pullPreviewSchema);
  if (known?.value.head !== head) return 'a newer head is previewed';
  const key = keys.previewQuestion(repository, id, head, cluster);
  const question = (await readDocument(store, key, clusterQuestionSchema))?.value;
  if (question === undefined) return 'nobody asks any more';
  const answer = await answerOf(question, request, deps);
  await writeDocument(store, keys.previewAnswer(repository, id, head, cluster), answer, 'any');
  const at = isoTime(clock.now());
  await deps.bus.publish([
    { type: 'PreviewAnswered', detail: { version: 1, at, repository, id, head, cluster } },
  ]);
  return answer.unreachable ?? `${answer.targets.length} targets tried`;
}

async function answerOf(
  { head, pointers }: ClusterQuestion,
  { cluster, ...pull }: ClusterAsk,
  deps: AskClusterDeps,
): Promise<ClusterAnswer> {
  const at = isoTime(deps.clock.now());
  try {
    const connected = await deps.clusters.connect(cluster, () => deps.deadline);
    await connected.resources();
  } catch (error) {
    if (!isOfTheWorld(error)) throw error;
    return { version: 1, head, at, unreachable: messageOf(error), targets: [] };
  }
  const store = new KeptStore(new OverlayStore(deps.store), deps.store, { ...pull, side: 'head' });
  for (const pointer of pointers)
    await store.put(keys.desired(pointer.target), JSON.stringify(pointer), 'any');
  const answered: AnsweredTarget[] = [];
  for (const pointer of pointers) answered.push(await tryTarget(pointer, { ...deps, store }));
  return { version: 1, head, at, targets: answered };
}

async function tryTarget({ target }: DesiredPointer, deps: AskClusterDeps): Promise<AnsweredTarget> {
  const { application } = target;
  const request: RunRequest = { version: 1, target, reason: 'sync', requestedBy: 'preview' };
  try {
    return { application, ...toldOf(await previewRun(request, deps)) };
  } catch (error) {
    if (!isOfTheWorld(error)) throw error;
    return { application, failed: messageOf(error), counts: {}, changes: [] };
  }
}

function isOfTheWorld(error: unknown): boolean {
  return [Stop, Blocked, Retry, Halted].some((kind) => error instanceof kind);
}

function toldOf({ changes, refusal }: Preview): Omit<AnsweredTarget, 'application'> {
  const counts: Record<string, number> = {};
  for (const { action } of changes) counts[action] = (counts[action] ?? 0) + 1;
  const news = changes.filter(({ action }) => action !== 'leave').slice(0, mostChanges);
  return {
    ...(refusal !== undefined && { refusal }),
    counts,
    changes: news.map(({ action, ref, why, fields }) => ({
      action,
      ref: { ...ref },
      why,
      fields: fields.slice(0, mostFields).map((field) => ({ ...field })),
    })),
  };
}
