import { readEnvironment } from '../adapters/environment.ts';
import { log, type LogFields } from '../adapters/log.ts';
import { measured } from '../adapters/measured.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { targetPorts, targetVariables, type Invocation } from '../adapters/target-ports.ts';
import { keptTrail } from '../core/audit/kept-writes.ts';
import { checkWritten, type CheckWrittenDeps, type WrittenRequest } from '../core/check-written.ts';
import { sweepRequestSchema, type SweepRequest } from '../core/contract/events.ts';
import { FleetView } from '../core/fleet.ts';
import { sweepCluster, sweepFleet } from '../core/sweep.ts';
import { askCluster } from '../core/previews/ask-cluster.ts';
import { isoTime } from '../core/model/time.ts';
import { traceOfCheck } from '../core/model/trace.ts';
import { KnownDocuments } from '../core/sweep/known-documents.ts';

const environment = readEnvironment([...targetVariables, 'laterQueue', 'sweepQueue']);
const { laterQueue, sweepQueue } = environment;
const ports = await targetPorts(environment, { laterQueue, sweepQueue });
const { clock, networks } = ports;
const fleet = new FleetView(ports);
const clusters = ports.clustersOf(fleet.find);
const documents = new KnownDocuments();
const trail = keptTrail(ports.store);
// Of other clusters nothing is kept, and the role may have no right to look.
const audited = new Set(ports.config.clusters.flatMap(({ name, audit }) => (audit === true ? [name] : [])));

/** Checks clusters for drift and health: the schedule asks for the fleet, which asks for each cluster. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  return handleBatch(event, sweepRequestSchema, async (request) => {
    if (request.scope === 'fleet') {
      const failures = await sweepFleet(ports, request.requestedBy);
      return failures.forEach((error) => log('ERROR', 'clusters were not looked for', { error }));
    }
    const { cluster } = request;
    if (await isElsewhere(request)) return;
    const started = clock.now();
    const trace = traceOfCheck(request, isoTime(started));
    const traced = { cluster, trace: trace?.id };
    const deps = {
      ...ports,
      clusters,
      config: await fleet.config(cluster),
      documents,
      deadline,
      audit: audited.has(cluster) ? trail : undefined,
      ...(trace && { trace }),
    };
    if (request.scope === 'target') return checkTarget(request, deps, traced);
    if (request.scope === 'preview') return answerPreview(request, deps);
    const [swept, traffic] = await measured(deps, cluster, async () => sweepCluster(request, deps));
    const { targets, unreachable, unreadable, unfollowed } = swept;
    const count = Object.keys(targets).length;
    const outcome = unreachable ?? 'checked';
    for (const key of unreadable) log('ERROR', 'drift is not counted: its index cannot be read', { key });
    if (unfollowed !== undefined)
      log('ERROR', 'what charts ask of the cluster is not followed', { cluster, error: unfollowed });
    log('INFO', 'cluster swept', {
      ...traced,
      ...traffic,
      count,
      outcome,
      milliseconds: clock.now() - started,
    });
  });
}

/** Passed on to the functions of its network; what pull requests ask, on the queue for that. */
async function isElsewhere(request: Exclude<SweepRequest, { scope: 'fleet' }>): Promise<boolean> {
  return networks.passOn(request.cluster, async (queues) =>
    request.scope === 'preview' ? queues.ask(request) : queues.sweep(request),
  );
}

async function checkTarget(
  request: WrittenRequest,
  deps: CheckWrittenDeps,
  traced: LogFields,
): Promise<void> {
  const { application } = request;
  const { kind: outcome, ...found } = await checkWritten(request, deps);
  log('INFO', 'what was written was checked', { ...traced, application, outcome, ...found });
}

async function answerPreview(
  request: Parameters<typeof askCluster>[0],
  deps: Parameters<typeof askCluster>[1],
): Promise<void> {
  const { cluster, repository, id: pullRequest } = request;
  const outcome = await askCluster(request, deps);
  log('INFO', 'asked what a pull request would do', { cluster, repository, pullRequest, outcome });
}
