import * as z from 'zod';
import type { ObjectVersion, ObjectVersions } from '../adapters/object-versions.ts';
import { prefixes } from '../core/contract/keys.ts';
import { inBatches } from '../core/in-batches.ts';
import { isoTime } from '../core/model/time.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { timeOf } from './end-time.ts';
import { table, type Report } from './report.ts';

export interface RestoreOptions {
  /** ISO 8601. */
  readonly at: string;
  readonly yes?: boolean;
}

/** What is to be done with one object, and what was. */
export interface Restoration {
  readonly key: string;
  readonly from: ObjectVersion;
  readonly current: ObjectVersion;
  readonly outcome?: 'done' | 'overtaken';
}

const atOnce = 10;

/**
 * Documents of what is, and not of what was. Their `seq` and revisions only ever grow, and taken back they would have
 * old commits applied and end what people suspended since: whichever is gone or broken gets its last whole state.
 */
const ofThePresent = [
  prefixes.desired,
  prefixes.holds,
  prefixes.repositories,
  prefixes.clusters,
  prefixes.inventory,
  prefixes.images,
];
const wholeSchema = z.looseObject({ seq: z.number().int() });

/**
 * Brings back what objects of the bucket were at a time: those that were deleted since, and those that were overwritten.
 * What was made since stays. Without `yes` it only tells. Conditional writes: what a function writes meanwhile wins.
 */
export async function restore(
  versions: Pick<ObjectVersions, 'below' | 'bringBack' | 'text'>,
  prefix: string,
  { at, yes = false }: RestoreOptions,
): Promise<Report> {
  const time = timeOf('--at', at);
  if (!Object.values(prefixes).some((known) => prefix.startsWith(known))) {
    throw new CliError(`There is no folder ${prefix}. There are: ${Object.values(prefixes).join(' ')}.`);
  }
  const changed = [...(await versions.below(prefix))].flatMap(([key, of]) => {
    const restoration = restorationOf(key, of, time);
    return restoration === undefined ? [] : [{ restoration, of }];
  });
  const checked = await inBatches(changed, atOnce, async ({ restoration, of }) =>
    ofThePresent.some((folder) => restoration.key.startsWith(folder))
      ? lastWhole(versions, restoration, of)
      : restoration,
  );
  const found = checked.filter((one) => one !== undefined);
  const objects = yes
    ? await inBatches(found, atOnce, async (one) => {
        const outcome = await versions.bringBack(one.key, one.from, one.current);
        return { ...one, outcome };
      })
    : found;
  return reportOf(objects, yes);
}

/** Undefined where what stands there is whole. `of`: the newest first. */
async function lastWhole(
  versions: Pick<ObjectVersions, 'text'>,
  { key, current }: Restoration,
  of: readonly ObjectVersion[],
): Promise<Restoration | undefined> {
  for (const version of of) {
    if (version.etag === undefined || !isWhole(await versions.text(key, version))) continue;
    return version.id === current.id ? undefined : { key, from: version, current };
  }
  return undefined;
}

function isWhole(text: string): boolean {
  try {
    return wholeSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** Undefined where nothing is to be done. `versions`: the newest first. */
export function restorationOf(
  key: string,
  versions: readonly ObjectVersion[],
  time: number,
): Restoration | undefined {
  const [current] = versions;
  // The token of a lease only ever grows, or a writer of before could write again: its last state, and only if it is gone.
  const isLease = key.startsWith(prefixes.leases);
  const from = isLease
    ? versions.find(({ etag }) => etag !== undefined)
    : versions.find((version) => version.at <= time);
  if (current === undefined || from?.etag === undefined || from.etag === current.etag) return undefined;
  if (isLease && current.etag !== undefined) return undefined;
  return { key, from, current };
}

function reportOf(objects: readonly Restoration[], done: boolean): Report {
  const data = objects.map(({ key, from, current, outcome }) => ({
    key,
    version: from.id,
    writtenAt: isoTime(from.at),
    since: { at: isoTime(current.at), what: current.etag === undefined ? 'deleted' : 'overwritten' },
    ...(outcome !== undefined && { outcome }),
  }));
  const overtaken = objects.filter(({ outcome }) => outcome === 'overtaken').length;
  const head = ['KEY', 'AS OF', 'SINCE', ...(done ? ['NOW'] : [])];
  const rows = data.map(({ key, writtenAt, since, outcome }) => [
    key,
    writtenAt,
    `${since.what} ${since.at}`,
    ...(outcome === undefined ? [] : [outcome]),
  ]);
  const notes = [
    ...(done || objects.length === 0 ? [] : [`${objects.length} to bring back; add --yes to do it`]),
    ...(overtaken === 0 ? [] : [`${overtaken} were written meanwhile and left as they are; run it again`]),
  ];
  return {
    data: { objects: data },
    text: data.length === 0 ? 'nothing was deleted or overwritten since' : table(head, rows),
    notes,
    exitCode: overtaken === 0 ? exitCodes.ok : exitCodes.found,
  };
}
