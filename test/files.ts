import { globSync, readFileSync } from 'node:fs';

/** A test that needs a control plane, the local AWS or a Git server says so by importing it, or a bench that has one. */
const needsTheWorld = /from '[^']*\/((cluster|aws|git|e2e)\/[^']*|workbench\.ts)'/;

/** Folders whose tests start processes or synthesise the stack: seconds each. */
const slow = /^test\/(cluster|aws|git|e2e|infra)\//;

/** Proofs that take longer than `npm test` may: run by `npm run test:long`. */
const long = /\.long\.test\.ts$/;

function all(): readonly string[] {
  return globSync('test/**/*.test.ts').toSorted();
}

function isUnit(file: string): boolean {
  return !file.startsWith('test/guard/') && !needsTheWorld.test(readFileSync(file, 'utf8'));
}

/** Pure and quick ones, for `npm run check`. */
export function unitTests(): readonly string[] {
  return all().filter((file) => !long.test(file) && !slow.test(file) && isUnit(file));
}

/** Everything that `npm test` runs. */
export function everyTest(): readonly string[] {
  return all().filter((file) => !long.test(file));
}

export function longTests(): readonly string[] {
  return all().filter((file) => long.test(file));
}
