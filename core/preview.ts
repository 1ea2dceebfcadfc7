import { noHolds } from './holds.ts';
import { acquireLease } from './lease.ts';
import { declare, type Declaration, type DeclareDeps } from './declare.ts';
import { Retry } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { keyedDigest } from './model/digest.ts';
import { refKey } from './model/object.ts';
import type { Preview, PreviewedChange } from './model/preview.ts';
import type { RunRequest } from './model/run.ts';
import { targetKey } from './model/target.ts';
import { isoTime } from './model/time.ts';
import { Policy } from './policy.ts';
import { OverlayStore } from './preview/overlay-store.ts';
import { previewStep, type PreviewWork } from './preview/preview-step.ts';
import { chooseGoal } from './reconcile/choose-goal.ts';
import { InventoryWriter } from './reconcile/inventory-writer.ts';
import { planWork, type PlannedWork } from './reconcile/plan-work.ts';
import { mayProceed, type ReconcileDeps, type RunContext } from './reconcile/run-context.ts';
import { readStanding } from './reconcile/standing.ts';

const stepsAtOnce = 8;

/**
 * What a run would do if a folder became the desired state of a target: the plan of the run itself, made on a copy of
 * the records, and for each object a dry run on the server. Writes nothing, neither to the store nor to the cluster.
 */
export async function preview(
  declaration: Declaration,
  wish: Pick<RunRequest, 'requestedBy' | 'confirmPrune' | 'keepUndesired'>,
  given: ReconcileDeps & DeclareDeps,
): Promise<Preview> {
  const deps = { ...given, store: new OverlayStore(given.store) };
  await declare(declaration, deps);
  return previewRun({ version: 1, target: declaration.target, reason: 'sync', ...wish }, deps);
}

/** The same of what the records say already; `deps.store` is written to, and so has to be a copy. */
export async function previewRun(request: RunRequest, deps: ReconcileDeps): Promise<Preview> {
  const context = await beginPreview(request, deps);
  const work = await planWork(context, { presumesAbsent: false });
  const { plan } = work.decision;
  return {
    changes: await changesIn(context, work),
    ...(plan.refusal !== undefined && { refusal: plan.refusal }),
  };
}

/** A run as far as its plan needs it. The lease is of the copy: it keeps nobody waiting. */
async function beginPreview(request: RunRequest, deps: ReconcileDeps): Promise<RunContext> {
  const { target } = request;
  const now = deps.clock.now();
  const choice = chooseGoal(request, await readStanding(deps.store, target), now);
  const lease = await acquireLease(deps, target);
  if (choice.kind === 'rest' || lease === undefined) {
    throw new Error(`there is nothing to plan for ${targetKey(target)}, though it was just declared`);
  }
  // Whoever holds the real one has noted its token: that of a copy must not be below it.
  const standing = await InventoryWriter.claim(deps.store, target, Number.MAX_SAFE_INTEGER);
  const { goal } = choice;
  return {
    deps,
    request,
    goal,
    lease,
    inventory: standing,
    holds: noHolds,
    runId: deps.ids.next(),
    startedAt: isoTime(now),
  };
}

async function changesIn(context: RunContext, work: PlannedWork): Promise<readonly PreviewedChange[]> {
  const { deps, goal, inventory } = context;
  const steps = new Map(work.decision.apply.map((step) => [step.desired.key, step]));
  const digestKey = await deps.sealer.digestKey();
  const made = work.desired.objects.filter(({ key }) => steps.get(key)?.action === 'create');
  const previewing: PreviewWork = {
    cluster: work.cluster,
    served: work.served,
    policy: new Policy(goal.settings, inventory.value.accepted),
    mask: (secret) => keyedDigest(digestKey, secret),
    creates: new Set(made.map(({ key }) => key)),
  };
  return inBatches(work.decision.plan.actions, stepsAtOnce, async (action) => {
    const step = steps.get(refKey(action.ref));
    if (step === undefined || (action.action !== 'create' && action.action !== 'update')) {
      return { ...action, fields: [] };
    }
    await mayProceed(context);
    try {
      return await previewStep(step, action.why, previewing);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      const why = `${action.why}; it could not be tried: ${error.message}`;
      return { ...action, why, apiVersion: step.desired.address.apiVersion, fields: [] };
    }
  });
}
