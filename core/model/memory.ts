import * as z from 'zod';
import { targetCheckSchema } from './check.ts';

/**
 * One object as its last clean check left it: a row and not an object, since a cluster may have fifty thousand of them.
 * The digests are keyed, and cut to 128 bits.
 */
export type ObjectMemory = readonly [
  /** `refKey`. */
  key: string,
  uid: string,
  resourceVersion: string,
  /** 0 where the kind has none. */
  generation: number,
  /** Of all metadata that people and controllers write. */
  metadataDigest: string,
  /** Of what it was compared with: the desired object, and the fields of others that are known of it. */
  desiredDigest: string,
  /** Its health then, empty for one that stays Healthy; see `core/sweep/remembered-health.ts`. */
  health: string,
];

const rowTypes = ['string', 'string', 'string', 'number', 'string', 'string', 'string'];

/** By hand: a schema for each row would cost more than the check that the rows are there to save. */
function areRows(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRow);
}

function isRow(row: unknown): boolean {
  return (
    Array.isArray(row) &&
    row.length === rowTypes.length &&
    rowTypes.every((type, column) => typeof row[column] === type)
  );
}

/** Etags of the records of one target. Each document has a `seq`, so that the same etag is the same content. */
export const recordVersionsSchema = z.object({
  desired: z.string(),
  inventory: z.string().exactOptional(),
  lease: z.string().exactOptional(),
});
export type RecordVersions = z.infer<typeof recordVersionsSchema>;

export const targetMemorySchema = z.object({
  records: recordVersionsSchema,
  /** Of everything in the settings that a verdict depends on. */
  rulesDigest: z.string(),
  /** A rule looks at the whole live object, its status too: only an equal resourceVersion counts. */
  versionOnly: z.boolean(),
  intervalSeconds: z.number().exactOptional(),
  /** Absent while there is more to see to than what the objects say: then its records are read by every sweep. */
  settled: targetCheckSchema.pick({ sync: true, reason: true, revision: true }).exactOptional(),
  /** Gone from Git, with nothing left of it. */
  finished: z.literal(true).exactOptional(),
  objects: z.custom<readonly ObjectMemory[]>(areRows),
  hooks: z
    .array(z.tuple([z.string(), z.string()]).readonly())
    .readonly()
    .exactOptional()
    .describe('key and uid of each object that came of a hook: it carries our label and is not extra'),
});
export type TargetMemory = z.infer<typeof targetMemorySchema>;

/** What a kind must still be for anything remembered of its objects to count. */
export const rememberedKindSchema = z.object({
  /** The version that is listed, and for a custom kind uid and generation of its definition. */
  identity: z.string(),
  /** An unchanged generation says that nothing but metadata and status changed. */
  generationCounts: z.boolean(),
  /**
   * Digest of a list of all that is ours of the kind, in which every object was as its row says and none was without one;
   * absent while there is no such list.
   */
  list: z.string().exactOptional(),
});
export type RememberedKind = z.infer<typeof rememberedKindSchema>;

/** What clean checks of one cluster left, so that the next ones need not look at what did not change since. */
export const clusterMemorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  cluster: z.string(),
  /** `engineVersion` and the server's version by which everything here was judged. */
  engine: z.number().int(),
  server: z.string(),
  /** By `group/Kind`. */
  kinds: z.record(z.string(), rememberedKindSchema),
  /** By application. */
  targets: z.record(z.string(), targetMemorySchema),
});
export type ClusterMemory = z.infer<typeof clusterMemorySchema>;
