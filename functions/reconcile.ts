import { CloudWatchAlarms } from '../adapters/cloudwatch-alarms.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { log } from '../adapters/log.ts';
import { measured } from '../adapters/measured.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { targetPorts, targetVariables, type Invocation } from '../adapters/target-ports.ts';
import { disturbCanary } from '../core/canary.ts';
import { FleetView } from '../core/fleet.ts';
import { runRequestSchema } from '../core/model/run.ts';
import { reconcile } from '../core/reconcile.ts';

const environment = readEnvironment([...targetVariables, 'runQueue', 'laterQueue']);
const { runQueue, laterQueue } = environment;
const ports = await targetPorts(environment, { runQueue, laterQueue });
const { clock, networks } = ports;
const fleet = new FleetView(ports);
const clusters = ports.clustersOf(fleet.find);
const alarms = new CloudWatchAlarms(clock);

/** Makes a target match its snapshot. Reads the FIFO queue of runs and the standard queue of later looks alike. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  return handleBatch(event, runRequestSchema, async (request) => {
    const { cluster, application } = request.target;
    if (await networks.passOn(cluster, async (queues) => queues.run(request))) return;
    const started = clock.now();
    const deps = { ...ports, clusters, alarms, config: await fleet.config(cluster), deadline };
    const [result, traffic] = await measured(deps, cluster, async () => reconcile(request, deps));
    const outcome = result.kind === 'ran' ? (result.record.outcome?.kind ?? 'unfinished') : result.why;
    if (request.disturb) log('INFO', await disturbCanary(request.target, deps), { cluster });
    const { reason } = request;
    const trace = (result.kind === 'ran' ? result.record.trace : request.trace)?.id;
    const milliseconds = clock.now() - started;
    log('INFO', `run ${result.kind}`, {
      cluster,
      application,
      reason,
      outcome,
      trace,
      milliseconds,
      ...traffic,
    });
  });
}
