import { readEnvironment } from '../adapters/environment.ts';
import { log } from '../adapters/log.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { targetPorts, targetVariables, type Invocation } from '../adapters/target-ports.ts';
import { sweepRequestSchema } from '../core/contract/events.ts';
import { sweepCluster, sweepFleet } from '../core/sweep.ts';
import { KnownDocuments } from '../core/sweep/known-documents.ts';

const environment = readEnvironment([...targetVariables, 'laterQueue', 'sweepQueue']);
const { laterQueue, sweepQueue } = environment;
const ports = await targetPorts(environment, { laterQueue, sweepQueue });
const { clock } = ports;
const documents = new KnownDocuments();

/** Checks clusters for drift and health: the schedule asks for the fleet, which asks for each cluster. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  return handleBatch(event, sweepRequestSchema, async (request) => {
    if (request.scope === 'fleet') return sweepFleet(ports, request.requestedBy);
    const started = clock.now();
    const { targets, unreachable, unreadable, unfollowed } = await sweepCluster(request, {
      ...ports,
      documents,
      deadline,
    });
    const count = Object.keys(targets).length;
    const outcome = unreachable ?? 'checked';
    const { cluster } = request;
    for (const key of unreadable) log('ERROR', 'drift is not counted: its index cannot be read', { key });
    if (unfollowed !== undefined)
      log('ERROR', 'what charts ask of the cluster is not followed', { cluster, error: unfollowed });
    log('INFO', 'cluster swept', { cluster, count, outcome, milliseconds: clock.now() - started });
  });
}
