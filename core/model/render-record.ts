import * as z from 'zod';
import { followedChartSchema } from './helm.ts';
import { jsonSchema } from './json.ts';

const paths = z.array(z.string());

/** What a render read of one commit. */
const treeInputsSchema = z.object({
  /** Folders of which every file was read. */
  contents: paths,
  /** Folders of which it matters which files there are, each without what is in it. */
  names: paths,
  files: paths,
  /** Set where a symlink was met: all symlinks of the commit count then, since any may lead elsewhere. */
  links: z.literal(true).exactOptional(),
});
export type TreeInputs = z.infer<typeof treeInputsSchema>;

/** What a render read: what it would read again as long as all of this stays as it is. */
const renderInputsSchema = z.object({
  own: treeInputsSchema,
  /** Of the cluster: `name`, `capabilities`, `label KEY`, `variable NAME`, `chosen SELECTOR`. */
  facts: z.array(z.string()),
});
export type RenderInputs = z.infer<typeof renderInputsSchema>;

/** What a render read of another repository, a digest over its values, and the commit at which that was last seen to hold. */
const otherInputsSchema = z.object({ inputs: treeInputsSchema, digest: z.string(), sha: z.string() });
export type OtherInputs = z.infer<typeof otherInputsSchema>;

/** One render, and a digest over the values of its inputs at that time: as long as that is equal, so is the snapshot. */
const renderSchema = z.object({
  inputs: renderInputsSchema,
  digest: z.string(),
  /** By their name in the stack configuration. */
  others: z.record(z.string(), otherInputsSchema).exactOptional(),
  /** Charts that are followed by a range of versions: the render holds as long as these lead to the same. */
  charts: z.array(followedChartSchema).exactOptional(),
  snapshot: z.string(),
  objects: z.number().int(),
});
export type RecordedRender = z.infer<typeof renderSchema>;

/** A document of an Application file as it was parsed, and where it and its dependencies stand. */
const definitionSchema = z.object({
  value: jsonSchema,
  place: z.string(),
  dependsOn: z.string(),
});
export type RecordedDefinition = z.infer<typeof definitionSchema>;

/**
 * What was made of the commits of one tracked ref so far. A memory and nothing more: without it everything is read and
 * rendered again, and whatever writer was last may win, since each entry holds for its inputs and not for a commit.
 */
export const renderRecordSchema = z.object({
  version: z.literal(1),
  /** Application files by path, while `id` is that of their content. */
  files: z.record(z.string(), z.object({ id: z.string(), definitions: z.array(definitionSchema) })),
  /** Renders by application, one for each answer that its clusters gave. */
  renders: z.record(z.string(), z.array(renderSchema)),
  /** Clusters of which it is noted elsewhere what these renders asked. */
  asked: z.array(z.string()).exactOptional(),
});
export type RenderRecord = z.infer<typeof renderRecordSchema>;
