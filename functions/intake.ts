import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { nativeEventSchema } from '../core/receive/native-event.ts';
import { receiveNative } from '../core/receive.ts';

const environment = readEnvironment(['bucket', 'bus', 'config']);
const loadConfig = stackConfigAt(environment.config);
const deps = {
  store: new S3Store(environment.bucket),
  bus: new EventBridgeBus(environment.bus),
  clock: new SystemClock(),
};

/** Events of AWS services (ECR, CodeCommit), brought into the words of our own. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleBatch(event, nativeEventSchema, async (native) =>
    receiveNative(native, { ...deps, config: await loadConfig() }),
  );
}
