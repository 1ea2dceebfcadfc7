import { faultSeed } from './seeds.ts';
import { simulate, type SimulationOptions } from './simulate.ts';
import type { SimulatedWorld } from './world.ts';

const busy = { ...faultSeed, sweepMinutes: 20, targets: 9, days: 0.25, pushMinutes: 30, editMinutes: 30 };

/** Breaks one thing for good; the first of a few seeds that notices says what broke. */
export async function noticed(
  tamper: (world: SimulatedWorld) => void,
  options: Partial<SimulationOptions> = {},
): Promise<string | undefined> {
  for (let seed = 1; seed <= 5; seed += 1) {
    const { failure } = await simulate({ ...busy, ...options, seed, tamper });
    if (failure !== undefined) return failure.invariant;
  }
  return undefined;
}
