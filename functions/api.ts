import { apiResponse, readApiCall } from '../adapters/api-function.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { readUrlRequest, type UrlResponse } from '../adapters/function-url.ts';
import { faultFields, log } from '../adapters/log.ts';
import { OidcTokens } from '../adapters/oidc-tokens.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { answerApi } from '../core/api.ts';
import { unforeseen } from '../core/api/problem.ts';
import { signIn } from '../core/api/sign-in.ts';
import { tokenHeader } from '../core/contract/site-headers.ts';
import { FleetBook } from '../core/view/fleet-book.ts';
import { keepingPastDays } from '../core/view/past-days.ts';
import product from '../package.json' with { type: 'json' };

const environment = readEnvironment(['bucket', 'bus', 'config', 'runQueue']);
const loadConfig = stackConfigAt(environment.config);
const [clock, ids] = [new SystemClock(), new SystemIds()];
const store = keepingPastDays(new S3Store(environment.bucket), clock);
const bus = new EventBridgeBus(environment.bus);
const tokens = new OidcTokens(clock);
const { runQueue } = environment;
// The book stays while the process is warm: a poll reads what changed.
const own = { store, clock, ids, bus, book: new FleetBook(store), version: product.version, installed: true };

/** Answers the dashboard (issue 8): whoever signed in, within their role. */
export async function handler(event: unknown): Promise<UrlResponse> {
  const request = readUrlRequest(event);
  const reply = await answer(request).catch((error: unknown) => {
    log('ERROR', 'the dashboard got no answer', faultFields(error));
    return unforeseen;
  });
  return apiResponse(reply, request.headers);
}

async function answer(request: ReturnType<typeof readUrlRequest>) {
  const config = await loadConfig();
  const who = await signIn(request.headers[tokenHeader], { tokens, dashboard: config.dashboard });
  if (who.kind === 'problem') return who;
  const queues = new SqsQueues({ runQueue }, ids, { runsPerCluster: config.concurrency.runsPerCluster });
  return answerApi({ ...readApiCall(request), person: who.person }, { ...own, config, queues });
}
