import type { JsonObject } from '../../core/model/json.ts';
import type { LiveObject } from '../../core/model/object.ts';
import { badImageOf } from './applications.ts';

/** What its controller says of a Deployment in the end. */
export function deploymentStatus(live: LiveObject): JsonObject {
  const observedGeneration = live.metadata.generation ?? 1;
  const replicas = 2;
  if (badImageOf(live) !== undefined) {
    const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };
    return { observedGeneration, conditions: [late] };
  }
  const done = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' };
  return {
    observedGeneration,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    conditions: [{ type: 'Available', status: 'True' }, done],
  };
}
