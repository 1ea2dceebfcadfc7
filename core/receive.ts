import type { StackConfig } from './contract/config.ts';
import { hookName } from './contract/hooks.ts';
import { recordIgnored } from './ledger.ts';
import { digestOf, digestOfBytes } from './model/digest.ts';
import { decide, type Decision, type Prove } from './receive/decide.ts';
import { deliver, type DeliverDeps } from './receive/deliver.ts';
import type { HookRequest } from './receive/hook-request.ts';
import { keepBody } from './receive/kept-body.ts';
import { nativeProvider, readNativeEvent, type NativeEvent } from './receive/native-event.ts';
import { understand } from './receive/understand.ts';
import { whyUnverified, type VerifyDeps } from './receive/verify.ts';

export interface ReceiveDeps extends DeliverDeps, VerifyDeps {
  readonly config: StackConfig;
}

/** What the sender is told, and what is worth a log line. Holds nothing of the body and no secret. */
export interface HookAnswer {
  readonly status: 202 | 400 | 401 | 403 | 404 | 405 | 413 | 503;
  readonly body: AnswerBody;
  /** Why it is 503; not for the sender. */
  readonly fault?: unknown;
}

interface AnswerBody {
  readonly delivery?: string;
  readonly state?: 'published' | 'ignored';
  readonly duplicate?: true;
  readonly reason?: string;
}

/** One webhook request from start to answer (issue 3). Never throws: whatever fails is 503, and the sender sees it. */
export async function receive(request: HookRequest, deps: ReceiveDeps): Promise<HookAnswer> {
  try {
    const prove: Prove = (verification, route) =>
      whyUnverified(verification, request, route, deps.clock.now(), deps);
    const decision = await decide(request, deps.config, prove);
    return decision.kind === 'refused'
      ? refusal(decision.status, decision.reason)
      : await act(request, decision, deps);
  } catch (fault) {
    return unavailable(fault);
  }
}

/** The answer when something behind us failed or was too slow: the sender sees a failure and can deliver again. */
export function unavailable(fault: unknown): HookAnswer {
  return { ...refusal(503, 'not taken; deliver it again'), fault };
}

function refusal(status: HookAnswer['status'], reason: string): HookAnswer {
  return { status, body: { reason } };
}

async function act(
  request: HookRequest,
  { route, provider, reading, understood }: Extract<Decision, { kind: 'taken' }>,
  deps: ReceiveDeps,
): Promise<HookAnswer> {
  const bodyDigest = digestOfBytes(request.body);
  const id = deliveryIdOf(understood, bodyDigest, deps.clock.now());
  const sender = { provider: hookName(route.hook), id, bodyDigest };
  const keep = async (): Promise<void> => {
    // What only the configuration of today leaves out is kept as well: a replay may find it wanted.
    if (reading.kind === 'ignored') return;
    await keepBody(deps.store, request, { ...sender, headers: provider.headers });
  };
  if (understood.kind === 'ignored') {
    const { event, reason } = understood;
    await Promise.all([keep(), recordIgnored(deps, { ...sender, event }, reason)]);
    return { status: 202, body: { delivery: id, state: 'ignored', reason } };
  }
  const [, outcome] = await Promise.all([keep(), deliver(sender, understood, deps)]);
  const duplicate = outcome === 'duplicate' ? ({ duplicate: true } as const) : {};
  return { status: 202, body: { delivery: id, state: 'published', ...duplicate } };
}

/** An event of an AWS service, as it came from its bus. The same event delivered again finds its own record. */
export async function receiveNative(
  event: NativeEvent,
  deps: DeliverDeps & Pick<ReceiveDeps, 'config'>,
): Promise<void> {
  const understood = understand(readNativeEvent(event), deps.config.repositories);
  const sender = {
    provider: nativeProvider(event),
    id: event.id,
    bodyDigest: digestOf([event.id, event.source]),
  };
  if (understood.kind === 'wanted') await deliver(sender, understood, deps);
  if (understood.kind === 'ignored') {
    await recordIgnored(deps, { ...sender, event: understood.event }, understood.reason);
  }
}

/**
 * Providers without ids of deliveries: a body that names its moment is itself the id; one that does not may come
 * again as a new fact, so that it gets an id of its own each time.
 */
function deliveryIdOf(
  understood: Extract<Decision, { kind: 'taken' }>['understood'],
  bodyDigest: string,
  now: number,
): string {
  const digest = bodyDigest.slice('sha256:'.length, 'sha256:'.length + 16);
  if (understood.deliveryId !== undefined) return understood.deliveryId;
  const isStamped = understood.kind === 'ignored' || understood.stamped;
  return isStamped ? `body-${digest}` : `body-${digest}-${now}`;
}
