import { Worker } from 'node:worker_threads';
import type { SimulationOptions, SimulationReport } from './simulate.ts';

/** A seed with faults: small, so that thousands can be tried. */
export const faultSeed: Omit<SimulationOptions, 'seed' | 'print' | 'tamper'> = {
  clusters: 3,
  targets: 20,
  days: 2,
  faults: 2,
  pushMinutes: 480,
  editMinutes: 480,
  sweepMinutes: 40,
  sampleMinutes: 180,
};

/** The world of a seed: in every fifth there are people on call too, which takes eight times as long. */
export function seedOf(seed: number): Omit<SimulationOptions, 'print' | 'tamper'> {
  return { ...faultSeed, ...(seed % 5 === 0 && { actMinutes: 240 }), seed };
}

/** Runs seeds on so many cores; `onReport` hears of each as it ends, in no particular order. */
export async function simulateAll(
  all: readonly Omit<SimulationOptions, 'print' | 'tamper'>[],
  cores: number,
  onReport: (report: SimulationReport) => void,
): Promise<void> {
  const waiting = all.values();
  const work = async (): Promise<void> => {
    // Much is made that is soon gone.
    const resourceLimits = { maxYoungGenerationSizeMb: 64 };
    const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), { resourceLimits });
    try {
      for (const options of waiting) onReport(await answerOf(worker, options));
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(cores, all.length) }, work));
}

async function answerOf(worker: Worker, options: object): Promise<SimulationReport> {
  return new Promise((done, fail) => {
    const onError = (error: unknown): void => fail(error);
    worker.once('error', onError);
    worker.once('message', (report: SimulationReport) => {
      worker.off('error', onError);
      done(report);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, no window
    worker.postMessage(options);
  });
}
