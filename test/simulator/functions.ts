import * as z from 'zod';
import { signer } from '../../adapters/hmac-signature.ts';
import { rollBackFailed } from '../../core/auto-rollback.ts';
import {
  envelopeSchema,
  pollRequestSchema,
  sweepRequestSchema,
  type EventDetail,
} from '../../core/contract/events.ts';
import { Blocked, Retry, Stop, messageOf } from '../../core/errors.ts';
import { runRequestSchema } from '../../core/model/run.ts';
import { pollCharts } from '../../core/poll-charts.ts';
import { askForPolls, poll } from '../../core/poll.ts';
import {
  followPullEvent,
  isPullRef,
  pollPulls,
  remakeEnvironments,
} from '../../core/preview-environments.ts';
import { produce } from '../../core/produce.ts';
import type { HookRequest } from '../../core/receive/hook-request.ts';
import { receive } from '../../core/receive.ts';
import { reconcile } from '../../core/reconcile.ts';
import { redeliverFailed } from '../../core/redeliver.ts';
import { noCharts } from '../../core/render/context.ts';
import { sweepCluster, sweepFleet } from '../../core/sweep.ts';
import type { Container } from './containers.ts';
import type { Invocation } from './invocation.ts';
import {
  attemptsOf,
  busOf,
  clustersOf,
  gitOf,
  hostOf,
  idsOf,
  metricsOf,
  queuesOf,
  storeOf,
} from './ports.ts';
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

const pushMessageSchema = z.union([
  envelopeSchema('PushReceived'),
  envelopeSchema('RevisionFailed'),
  envelopeSchema('PullRequestChanged'),
  pollRequestSchema,
]);

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
  invocation.run = request;
  world.watch.holds.began(request);
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
    host: hostOf(world, invocation),
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
      if (body.poll === 'charts') return world.trace.note(`poll: ${await pollCharts(deps)}`);
      world.trace.note(`poll: ${await poll(body.repositories, deps)}`);
      await lookAtPulls(world, body.repositories, deps);
    } else if (body['detail-type'] === 'RevisionFailed') {
      world.trace.note(`a revision failed: ${await rollBackFailed(body.detail, deps)}`);
    } else if (body['detail-type'] === 'PullRequestChanged') {
      const outcome = await followPullEvent(body.detail, message.receives, deps);
      world.trace.note(`pull request ${body.detail.id}: ${outcome}`);
    } else await follow(world, body.detail, message.receives, deps);
  });
};

type PushDeps = Parameters<typeof produce>[2] & Parameters<typeof pollPulls>[1];

async function follow(
  world: InnerWorld,
  push: EventDetail<'PushReceived'>,
  receives: number,
  deps: PushDeps,
): Promise<void> {
  const { repository, ref, after } = push;
  const isPull = isPullRef(ref);
  const outcome = await (isPull ? remakeEnvironments(push, deps) : produce(push, receives, deps));
  world.trace.note(`push ${repository} ${after.slice(0, 7)}: ${outcome}`);
  const isRun = deps.config.repositories.some((one) => one.name === repository && one.environments);
  if (isRun && !isPull) await lookAtPulls(world, [repository], deps);
}

async function lookAtPulls(world: InnerWorld, names: readonly string[], deps: PushDeps): Promise<void> {
  for (const { repository, outcome } of await pollPulls(names, deps))
    world.trace.note(`pull requests of ${repository}: ${outcome}`);
}

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
