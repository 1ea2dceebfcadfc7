import type { ObjectResult } from '../apply.ts';
import type { StackConfig } from '../contract/config.ts';
import { requestSeconds } from '../contract/kubernetes.ts';
import type { EpisodeDeps } from '../episodes.ts';
import type { Holds, HoldsDeps } from '../holds.ts';
import { LeaseLost, type Lease } from '../lease.ts';
import type { BrokenLoops } from '../model/heals.ts';
import type { RunRequest } from '../model/run.ts';
import { Policy } from '../policy.ts';
import type { Alarms, Clusters, Queues, ReferencedValues, Sealer, SopsOpener } from '../ports.ts';
import type { Goal } from './choose-goal.ts';
import { readSuspensions } from '../suspend.ts';
import { Halted } from './halted.ts';
import {
  describeSuspension,
  suspensionOf,
  type Cancellation,
  type Suspensions,
} from '../model/suspension.ts';
import type { StageHeld } from './rollout-gate.ts';
import type { InventoryWriter } from './inventory-writer.ts';
import { readPointer } from './standing.ts';
import { cancellationOf } from './stopped.ts';

/** What reconciling asks of the world. */
export interface ReconcileDeps extends EpisodeDeps {
  readonly queues: Queues;
  readonly clusters: Clusters;
  readonly sealer: Sealer;
  readonly sops?: SopsOpener;
  readonly references?: ReferencedValues;
  /** Absent: nobody can be asked, and what goes by alarms waits. */
  readonly alarms?: Alarms;
  readonly config: HoldsDeps['config'] & Pick<StackConfig, 'pruneCap' | 'projects' | 'repositories'>;
  /** Time by which the function must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

/** Kept back for the records at the end of a run. */
const reserveMs = 10_000;

/** One run under way: what it is to reach, and what it holds. */
export interface RunContext {
  readonly deps: ReconcileDeps;
  readonly request: RunRequest;
  readonly goal: Goal;
  readonly lease: Lease;
  readonly inventory: InventoryWriter;
  readonly runId: string;
  /** What heals leave alone since somebody changes it again each time; none when a person asked for the run. */
  readonly brokenLoops?: BrokenLoops;
  readonly holds: Holds;
  /** Why its stage of the rollout has not begun; nothing is touched then. */
  readonly stageHeld?: StageHeld | undefined;
  /** Why nothing is pruned by this run, in words: a freeze. */
  readonly pruneFrozen?: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** What a run has done so far; grows as it goes on, and is all that is left when it stops half-way. */
export interface Progress {
  readonly results: ObjectResult[];
}

/** Nothing was ever applied, and nothing is to be adopted: what is desired is most likely not there. */
export function isFirst({ goal, inventory: { value } }: RunContext): boolean {
  const isNew = Object.keys(value.entries).length === 0 && Object.keys(value.hooks).length === 0;
  return isNew && goal.pointer.state !== 'gone' && !goal.settings.adopt;
}

/** The rules of the run: what Git says, what people accepted since, and broken heal loops. */
export function policyOf({ goal, inventory, brokenLoops }: RunContext): Policy {
  return new Policy(goal.settings, inventory.value.accepted, brokenLoops);
}

/** Latest end of a request to the cluster; moves as the lease is renewed. */
export function deadlineOf({ deps, lease }: RunContext): number {
  return Math.min(lease.deadline(), deps.deadline - reserveMs);
}

/** Holds the lease, and stops the run while what it would begin could still end in time. */
export async function mayProceed(context: RunContext): Promise<void> {
  await holdLease(context);
  if (context.deps.clock.now() + requestSeconds * 1000 > deadlineOf(context)) {
    throw new Halted('out-of-time', 'ran out of time; the next run goes on where this one stopped');
  }
}

/** Reading takes its time as well: between two long reads the lease must not run out. */
export async function holdLease({ lease }: RunContext): Promise<void> {
  try {
    await lease.hold();
  } catch (error) {
    throw error instanceof LeaseLost ? new Halted('lease-lost', error.message) : error;
  }
}

/** Stops the run when Git wants something newer (rule 4), and when somebody cancels or suspends it. Call before each step. */
export async function assertNewest(context: RunContext): Promise<void> {
  const { deps, request, goal } = context;
  const [pointer, suspensions] = await Promise.all([
    readPointer(deps.store, request.target),
    readSuspensions(deps.store),
  ]);
  const suspension = suspensionOf(suspensions, request.target, deps.clock.now());
  if (suspension !== undefined) throw new Halted('suspended', `stopped: ${describeSuspension(suspension)}`);
  const cancelled = cancellationIn(suspensions, context);
  if (cancelled !== undefined) {
    const message = `cancelled by ${cancelled.by}; what was done is recorded, and the rest waits for \`trueup sync\``;
    throw new Halted('cancelled', message, cancelled.by);
  }
  if (pointer === undefined || pointer.revision === goal.pointer.revision) return;
  const message = `revision ${pointer.revision} has come; a new run goes on with that one`;
  throw new Halted('superseded', message);
}

/** What a run that was not whole ends with: nothing follows from one that a person cancelled in its last moments. */
export async function orCancelled(context: RunContext, error: unknown): Promise<unknown> {
  if (error instanceof Halted && error.reason === 'lease-lost') return error;
  try {
    await assertNewest(context);
  } catch (halted) {
    if (halted instanceof Halted && halted.reason === 'cancelled') return halted;
  }
  return error;
}

function cancellationIn(
  suspensions: Suspensions | undefined,
  { request, goal, inventory, lease }: RunContext,
): Cancellation | undefined {
  return cancellationOf(suspensions, {
    request,
    revision: goal.revision,
    inventory: inventory.value,
    token: lease.token,
  });
}
