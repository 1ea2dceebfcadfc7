import { readEnvironment } from '../adapters/environment.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { imageEventSchema } from '../core/event.ts';
import { recordImage } from '../core/receive.ts';

const { bucket } = readEnvironment(['bucket']);
const deps = { store: new S3Store(bucket), clock: new SystemClock() };

/** ECR's image events, seen and recorded; acting on them comes with a later version. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleBatch(event, imageEventSchema, (image) => recordImage(image, deps));
}
