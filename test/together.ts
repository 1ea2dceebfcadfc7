import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a file does to its process would be done to all that share the process with it. */
const changesItsProcess = /^globalThis\b|\bprocess\.env\[[^\]]+\] = /m;

/** These start processes, count them, or wait for other processes more than they work. */
const worldly = /^test\/(aws|browser|cluster|e2e|functions|git|guard|simulator)\/|\/cold-start\.test\.ts$/;

/** A minute each; begun early, so that none of them is left alone at the end. */
const longest = /^test\/(aws|browser|e2e|guard|simulator)\/|\/cold-start\.test\.ts$/;

function mayShare(file: string): boolean {
  return !worldly.test(file) && !changesItsProcess.test(readFileSync(file, 'utf8'));
}

/** A module that runs each file as a suite: its hooks are for that file alone. */
function moduleOf(files: readonly string[]): string {
  const suites = files.map((file) => {
    const url = JSON.stringify(pathToFileURL(file).href);
    return `describe(${JSON.stringify(file)}, async () => { await import(${url}); });`;
  });
  return ["import { describe } from 'node:test';", ...suites, ''].join('\n');
}

/** As many lists as asked for, of about the same number of bytes, each in the order that was given. */
function evenly(files: readonly string[], lists: number): readonly (readonly string[])[] {
  const sizes = files.map((file) => statSync(file).size);
  const share = sizes.reduce((sum, size) => sum + size, 0) / lists;
  let bytes = 0;
  const numbered = files.map((file, index) => {
    const list = Math.min(lists - 1, Math.floor(bytes / share));
    bytes += sizes[index] ?? 0;
    return { file, list };
  });
  return Array.from({ length: lists }, (_, list) =>
    numbered.filter((entry) => entry.list === list).map(({ file }) => file),
  );
}

/**
 * The arguments for `node --test`, so that those files that can do share a few processes. Starting a process and
 * loading the CDK, the SDK and zod takes half a second to three: `infra` took 130 s of CPU so, and 42 together.
 * The modules are written to `folder`, which must be there until the tests ended.
 */
export function together(files: readonly string[], folder: string, processes: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const shared = files.filter((file) => mayShare(file));
  const modules = evenly(shared, processes)
    .filter((list) => list.length > 0)
    .map((list, index) => {
      const path = join(folder, `together-${index + 1}.test.mjs`);
      writeFileSync(path, moduleOf(list));
      return path;
    });
  const own = files.filter((file) => !shared.includes(file));
  const [first, last] = [own.filter((file) => longest.test(file)), own.filter((file) => !longest.test(file))];
  // In turn, so that what only computes fills the time that those with a stack wait.
  const turns = Math.max(first.length, modules.length);
  const inTurn = Array.from({ length: turns }, (_, turn) => [first[turn], modules[turn]]).flat();
  return [...inTurn.filter((path) => path !== undefined), ...last];
}
