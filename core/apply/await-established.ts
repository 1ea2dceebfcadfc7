import { Retry } from '../errors.ts';
import { isJsonObject } from '../model/json.ts';
import type { LiveObject } from '../model/object.ts';
import {
  answered,
  failed,
  unanswered,
  type ApplyTask,
  type Effects,
  type ObjectResult,
} from './object-result.ts';

const tries = 60;
const pauseMs = 500;

/** Waits until the API server serves the kind of a definition that was just applied: half a minute at most. */
export async function awaitEstablished(
  task: ApplyTask,
  result: ObjectResult,
  { cluster, clock }: Effects,
): Promise<ObjectResult> {
  if (result.failure !== undefined) return result;
  let live = result.live;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    if (live !== undefined && isEstablished(live)) return result;
    await clock.sleep(pauseMs);
    const found = await answered(cluster.get(task.address));
    if (found instanceof Retry) return unanswered(task, found);
    live = found;
  }
  const message = `was not established within ${(tries * pauseMs) / 1000} s; see its conditions (names taken by another definition?)`;
  return failed(task, 'retry', message);
}

function isEstablished({ status }: LiveObject): boolean {
  const conditions = isJsonObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(conditions)) return false;
  return conditions.some(
    (condition) =>
      isJsonObject(condition) && condition['type'] === 'Established' && condition['status'] === 'True',
  );
}
