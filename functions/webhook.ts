import { withDeadline } from '../adapters/deadline.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { jsonResponse, readUrlRequest, type UrlResponse } from '../adapters/function-url.ts';
import { signer } from '../adapters/hmac-signature.ts';
import { faultFields, log } from '../adapters/log.ts';
import { OidcTokens } from '../adapters/oidc-tokens.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { receive, unavailable } from '../core/receive.ts';

const environment = readEnvironment(['bucket', 'bus', 'config', 'hookSecretPrefix']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const deps = {
  store: new S3Store(environment.bucket),
  bus: new EventBridgeBus(environment.bus),
  secrets: new SecretsManagerSecrets(clock),
  clock,
  signer,
  tokens: new OidcTokens(clock),
  hookSecretPrefix: environment.hookSecretPrefix,
};

/** GitHub hangs up after 10 s and never tries again by itself: it must get an answer, whatever happens behind. */
const answerWithin = 8_000;

export async function handler(event: unknown): Promise<UrlResponse> {
  const started = clock.now();
  const request = readUrlRequest(event);
  const work = loadConfig().then((config) => receive(request, { ...deps, config }));
  const { status, body, fault } = await withDeadline('webhook', answerWithin, work).catch(unavailable);
  const fields = { status, ...body, milliseconds: clock.now() - started };
  if (fault === undefined) log('INFO', 'delivery answered', fields);
  else log('ERROR', 'delivery not taken', { ...fields, ...faultFields(fault) });
  return jsonResponse(status, body);
}
