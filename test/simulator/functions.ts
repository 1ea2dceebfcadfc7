import * as z from 'zod';
import { signer } from '../../adapters/hmac-signature.ts';
import { envelopeSchema, pollRequestSchema, sweepRequestSchema } from '../../core/contract/events.ts';
import { Blocked, Retry, Stop, messageOf } from '../../core/errors.ts';
import { runRequestSchema } from '../../core/model/run.ts';
import { pollCharts } from '../../core/poll-charts.ts';
import { askForPolls, poll } from '../../core/poll.ts';
import { produce } from '../../core/produce.ts';
import type { HookRequest } from '../../core/receive/hook-request.ts';
import { receive } from '../../core/receive.ts';
import { reconcile } from '../../core/reconcile.ts';
import { redeliverFailed } from '../../core/redeliver.ts';
import { noCharts } from '../../core/render/context.ts';
import { sweepCluster, sweepFleet } from '../../core/sweep.ts';
import type { Container } from './containers.ts';
import type { Invocation } from './invocation.ts';
import { attemptsOf, busOf, clustersOf, gitOf, idsOf, metricsOf, queuesOf, storeOf } from './ports.ts';
import type { Message } from './queue.ts';
import { BrokenInvariant } from './trace.ts';
import type { InnerWorld } from './inner-world.ts';

/** The bodies of `functions/*.ts` over simulated ports; what they answer says whether the message is done with. */
export type Handler = (
  world: InnerWorld,
  invocation: Invocation,
  container: Container,
  message: Message,
) => Promise<boolean>;

const minute = 60_000;
export const timeouts = {
  webhook: 8_000,
  intake: 30_000,
  snapshot: 5 * minute,
  reconcile: 5 * minute,
  sweep: 5 * minute,
};

const pushMessageSchema = z.union([envelopeSchema('PushReceived'), pollRequestSchema]);

function portsOf(world: InnerWorld, invocation: Invocation, { sealer }: Container) {
  const queues = queuesOf(world, invocation);
  return {
    store: storeOf(world, invocation),
    bus: busOf(world, invocation),
    queues,
    metrics: metricsOf(world, invocation),
    sealer,
    clusters: clustersOf(world, invocation),
    clock: invocation.clock,
    ids: idsOf(world),
    config: world.config,
    // Every cluster is in the stack configuration.
    finder: { list: async () => ({ clusters: [], unread: undefined }) },
    deadline: invocation.deadline,
  };
}

export const handleRun: Handler = async (world, invocation, container, message) => {
  const request = runRequestSchema.parse(JSON.parse(message.body));
  return isHandled('acknowledge', async () => {
    const result = await reconcile(request, portsOf(world, invocation, container));
    const outcome = result.kind === 'ran' ? result.record.outcome?.kind : result.why;
    world.trace.note(
      `run ${request.target.cluster}/${request.target.application} ${request.reason}: ${outcome}`,
    );
  });
};

export const handleSweep: Handler = async (world, invocation, container, message) => {
  const request = sweepRequestSchema.parse(JSON.parse(message.body));
  const ports = portsOf(world, invocation, container);
  return isHandled('acknowledge', async () => {
    if (request.scope === 'fleet') {
      await sweepFleet(ports, request.requestedBy);
      return;
    }
    const { cluster } = request;
    if (world.quiet.isSame(cluster)) return world.quiet.skip(cluster);
    const before = world.quiet.begin(cluster);
    const result = await sweepCluster(request, { ...ports, documents: container.documents });
    world.quiet.end(cluster, before, result, invocation);
    world.watch.swept(cluster, result);
  });
};

export const handlePush: Handler = async (world, invocation, container, message) => {
  const body = pushMessageSchema.parse(JSON.parse(message.body));
  const deps = {
    ...portsOf(world, invocation, container),
    git: gitOf(world, invocation),
    renderers: {
      versions: { trueup: '0' },
      kustomize: async () => Promise.reject(new Error('there is no kustomize in a simulation')),
      helm: async () => Promise.reject(new Error('there is no Helm in a simulation')),
    },
    charts: { ...noCharts, newest: async () => [] },
    build: 'simulated',
  };
  return isHandled('fail', async () => {
    if ('poll' in body) {
      if (body.poll === 'fleet' || body.poll === 'canary') return;
      const outcome = await (body.poll === 'charts' ? pollCharts(deps) : poll(body.repositories, deps));
      world.trace.note(`poll: ${outcome}`);
      return;
    }
    const outcome = await produce(body.detail, message.receives, deps);
    world.trace.note(`push ${body.detail.repository} ${body.detail.after.slice(0, 7)}: ${outcome}`);
  });
};

export const handleIntake: Handler = async (world, invocation, container) =>
  isHandled('acknowledge', async () => {
    const { clock, config, queues } = portsOf(world, invocation, container);
    await askForPolls(config, queues);
    await redeliverFailed(config, { attempts: attemptsOf(world, invocation), clock });
  });

/** Whether the sender was told that the delivery was taken. */
export async function takeDelivery(
  world: InnerWorld,
  invocation: Invocation,
  container: Container,
  request: HookRequest,
): Promise<boolean> {
  const { status, fault } = await receive(request, {
    ...portsOf(world, invocation, container),
    secrets: container.secrets,
    signer,
    tokens: { verify: async () => ({ kind: 'refused', reason: 'no tokens here' }) },
    hookSecretPrefix: 'trueup/hooks',
  });
  if (fault !== undefined && !(fault instanceof Retry)) throw unforeseen(fault);
  return status === 202;
}

/** As `handleBatch` of `adapters/sqs-batch.ts` has it; what nobody foresaw is a broken invariant here. */
export async function isHandled(
  onFault: 'acknowledge' | 'fail',
  handle: () => Promise<void>,
): Promise<boolean> {
  try {
    await handle();
    return true;
  } catch (error) {
    if (error instanceof Retry) return false;
    if (error instanceof Stop || error instanceof Blocked) return onFault === 'acknowledge';
    throw unforeseen(error);
  }
}

function unforeseen(error: unknown): BrokenInvariant {
  if (error instanceof BrokenInvariant) return error;
  const where = error instanceof Error ? `\n${error.stack}` : '';
  return new BrokenInvariant('nothing unforeseen is thrown', `${messageOf(error)}${where}`);
}
