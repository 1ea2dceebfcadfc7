import { parentPort } from 'node:worker_threads';
import * as z from 'zod';
import { simulate } from './simulate.ts';

const optionsSchema = z.object({
  seed: z.number(),
  clusters: z.number(),
  targets: z.number(),
  days: z.number(),
  faults: z.number(),
  repositories: z.number().exactOptional(),
  pushMinutes: z.number().exactOptional(),
  editMinutes: z.number().exactOptional(),
  actMinutes: z.number().exactOptional(),
  objectsPerTarget: z.number().exactOptional(),
  sweepMinutes: z.number().exactOptional(),
  sampleMinutes: z.number().exactOptional(),
});

async function answer(message: unknown): Promise<void> {
  const report = await simulate(optionsSchema.parse(message));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, no window
  parentPort?.postMessage(report);
}

// One seed after the other, each when it is asked for.
parentPort?.on('message', (message: unknown) => void answer(message));
