import { requestSeconds } from '../../core/contract/kubernetes.ts';
import { Retry } from '../../core/errors.ts';
import type {
  Bus,
  Cluster,
  Clusters,
  Git,
  HookAttempts,
  Ids,
  Metrics,
  ObjectAddress,
  PollQueue,
  Queues,
  Store,
} from '../../core/ports.ts';
import type { GitHost } from '../../core/host-ports.ts';
import { targetKey } from '../../core/model/target.ts';
import type { Part } from './chaos.ts';
import type { Effect } from './holds-watch.ts';
import type { Invocation } from './invocation.ts';
import type { RequestKind } from './requests.ts';
import type { InnerWorld } from './inner-world.ts';
import { BrokenInvariant } from './trace.ts';

/** Milliseconds that a call takes in the mean, on AWS in one region. */
const latency = {
  s3: 25,
  sqs: 10,
  events: 15,
  metrics: 15,
  kms: 10,
  cluster: 15,
  git: 300,
  connect: 5_000,
} as const;

/** The longest that SQS delays a message. */
const longestDelaySeconds = 900;
/** When an effect comes at last of which nobody knows any more whether it came. */
const latestEffectMs = 240_000;
const listPage = 1000;

const retry = (subject: string, message: string): Retry => new Retry({ subject, message });

/** A call of an AWS service: away, throttled, done with its answer lost, or done. */
async function aws<T>(
  invocation: Invocation,
  kind: RequestKind,
  latencyMs: number,
  work: () => Promise<T> | T,
): Promise<T> {
  const { chaos } = invocation.host;
  const [service = ''] = kind.split(' ');
  return invocation.call(latencyMs, async () => {
    invocation.count(kind);
    if (service === 's3' && chaos.isAway('s3')) throw retry(kind, 'AWS did not do it (503); try again');
    if (!chaos.strikes('awsError')) return work();
    // Before the effect, or after it when the answer gets lost.
    if (chaos.random.chance(0.5)) await work();
    throw retry(kind, 'AWS did not do it (throttled); try again');
  });
}

/** The core writes down what a run met, and goes on: an invariant that broke ends the world all the same. */
async function seen<T>(world: InnerWorld, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BrokenInvariant) world.fail(error);
    throw error;
  }
}

export function storeOf(world: InnerWorld, invocation: Invocation): Store {
  const { store } = world;
  const call = async <T>(kind: RequestKind, work: () => Promise<T>): Promise<T> =>
    aws(invocation, kind, latency.s3, work);
  const pagesOf = (count: number): number => Math.max(0, Math.ceil(count / listPage) - 1);
  return {
    get: async (key) => call('s3 get', async () => store.get(key)),
    put: async (key, text, condition) =>
      call('s3 put', async () => {
        const outcome = await store.put(key, text, condition);
        if (outcome.kind === 'written')
          await seen(world, async () => world.watch.stored(key, text, invocation));
        return outcome;
      }),
    delete: async (key, condition) =>
      call('s3 delete', async () => {
        const outcome = await store.delete(key, condition);
        if (outcome === 'deleted')
          await seen(world, async () => world.watch.stored(key, undefined, invocation));
        return outcome;
      }),
    entries: async (prefix) =>
      call('s3 list', async () => {
        const found = await store.entries(prefix);
        invocation.count('s3 list', pagesOf(found.size));
        return found;
      }),
    async *list(prefix, options) {
      const found = await call('s3 list', async () => Array.fromAsync(store.list(prefix, options)));
      invocation.count('s3 list', pagesOf(found.length));
      yield* found;
    },
  };
}

export function busOf(world: InnerWorld, invocation: Invocation): Bus {
  return {
    publish: async (events) =>
      aws(invocation, 'events', latency.events, () => {
        invocation.count('events', events.length - 1);
        for (const event of events) world.announce(event);
      }),
  };
}

export function queuesOf(world: InnerWorld, invocation: Invocation): Queues & PollQueue {
  const { queues } = world;
  const delayMs = (seconds: number): number =>
    Math.min(longestDelaySeconds, Math.max(0, Math.ceil(seconds))) * 1000;
  const send = async (kind: 'sqs standard' | 'sqs fifo', work: () => void): Promise<void> =>
    aws(invocation, kind, latency.sqs, work);
  return {
    run: async (request) =>
      send('sqs fifo', () => {
        queues.runs.send(JSON.stringify(request), { group: targetKey(request.target) });
      }),
    runLater: async (request, seconds) =>
      send('sqs standard', () => {
        queues.later.send(JSON.stringify(request), { delayMs: delayMs(seconds) });
      }),
    sweep: async (request) =>
      send('sqs standard', () => {
        queues.sweeps.send(JSON.stringify(request));
      }),
    poll: async (request, seconds) =>
      send('sqs standard', () => {
        queues.pushes.send(JSON.stringify(request), { delayMs: delayMs(seconds) });
      }),
  };
}

export function hostOf({ chaos, pulls: { host } }: InnerWorld, invocation: Invocation): GitHost {
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    if (chaos.isAway('git')) return invocation.call(latency.connect, () => Promise.reject(gitAway));
    return invocation.call(latency.git, work);
  };
  return {
    propose: async (...asked) => ask(async () => host.propose(...asked)),
    pullRequest: async (...asked) => ask(async () => host.pullRequest(...asked)),
    pullRequestFrom: async (...asked) => ask(async () => host.pullRequestFrom(...asked)),
    openPullRequests: async (...asked) => ask(async () => host.openPullRequests(...asked)),
    close: async (...asked) => ask(async () => host.close(...asked)),
    comment: async (...asked) => ask(async () => host.comment(...asked)),
    status: async (...asked) => ask(async () => host.status(...asked)),
    deployment: async (...asked) => ask(async () => host.deployment(...asked)),
    approvals: async (...asked) => ask(async () => host.approvals(...asked)),
  };
}

export function metricsOf(world: InnerWorld, invocation: Invocation): Metrics {
  return {
    put: async (data) =>
      aws(invocation, 'metrics', latency.metrics, () => {
        const { now } = world.timeline;
        for (const { name, cluster } of data) world.requests.addMetric(`${name} ${cluster ?? ''}`, now);
      }),
  };
}

/** Sort by time of creation. */
export function idsOf(world: InnerWorld): Ids {
  return { next: () => world.nextId() };
}

export function gitOf(world: InnerWorld, invocation: Invocation): Git {
  const { host: git } = world;
  const ask = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (world.chaos.isAway('git')) return invocation.call(latency.connect, () => Promise.reject(gitAway));
    return invocation.call(latency.git, () => {
      invocation.count('git');
      return work();
    });
  };
  return {
    head: async (repository) => (await ask(() => git.heads([repository]))).get(repository.name)?.sha,
    heads: async (repositories) => ask(() => git.heads(repositories)),
    checkout: async (repository, sha) => ask(() => git.checkout(repository, sha)),
  };
}

const gitAway = retry('Git host', 'no answer within 5 s; check that it runs');

/** The deliveries that GitHub could not make. */
export function attemptsOf(world: InnerWorld, invocation: Invocation): HookAttempts {
  return {
    list: async (_, since) => invocation.call(latency.git, () => world.deliveries.since(since)),
    redeliver: async (_, id) => invocation.call(latency.git, () => world.deliveries.repeat(id)),
  };
}

export function clustersOf(world: InnerWorld, invocation: Invocation): Clusters {
  return {
    connect: async (name, deadline) => connected(world, invocation, name, deadline),
  };
}

function connected(world: InnerWorld, invocation: Invocation, name: string, deadline: () => number): Cluster {
  const { chaos, timeline } = world;
  const cluster = world.clusterOf(name);
  const part: Part = `cluster ${name}`;
  const subject = `cluster ${name}`;
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    // As the API client does: no request that could outlive the lease or the function.
    if (invocation.clock.now() + requestSeconds * 1000 > deadline())
      throw retry(subject, 'it could not surely end before this run must stop');
    if (chaos.isAway(part))
      return invocation.call(latency.connect, () => Promise.reject(retry(subject, 'no answer within 5 s')));
    return invocation.call(latency.cluster, async () => {
      invocation.count('kubernetes');
      if (chaos.strikes('throttle'))
        throw new Retry({ subject, message: 'too many requests (429)', afterSeconds: 2 });
      return work();
    });
  };
  const write = async <T>(address: ObjectAddress, work: (effect: Effect) => Promise<T>): Promise<T> => {
    const effect = { invocation, issuedAt: timeline.now };
    if (!chaos.strikes('lateWrite')) {
      return ask(async () => seen(world, async () => work({ ...effect, before: cluster.live(address) })));
    }
    timeline.after(chaos.random.between(0, latestEffectMs), () => {
      chaos.note();
      world.watch.holds.disturbed(name, address);
      void seen(world, async () => work({ ...effect, before: cluster.live(address) })).catch(() => undefined);
    });
    const late = new Retry({ subject, message: 'a request had no answer within 15 s', timedOut: true });
    return invocation.call(requestSeconds * 1000, () => Promise.reject(late));
  };
  return {
    resources: async () => ask(async () => cluster.resources()),
    get: async (address) => ask(async () => cluster.get(address)),
    list: async (...asked) => ask(async () => cluster.list(...asked)),
    version: async () => ask(async () => cluster.version()),
    apply: async (address, object, options) => {
      if (options.dryRun) return ask(async () => cluster.apply(address, object, options));
      return write(address, async (effect) => {
        const outcome = await cluster.apply(address, object, options);
        if (outcome.kind === 'applied') world.watch.applied(name, address, { ...effect, object });
        return outcome;
      });
    },
    patch: async (address, precondition, operations) =>
      write(address, async (effect) => {
        world.watch.holds.changed(address, effect);
        return cluster.patch(address, precondition, operations);
      }),
    delete: async (address, precondition, options) =>
      write(address, async (effect) => {
        const outcome = await cluster.delete(address, precondition, options);
        if (outcome.kind === 'deleted' || outcome.kind === 'deleting')
          world.watch.deleted(name, address, effect);
        return outcome;
      }),
  };
}
