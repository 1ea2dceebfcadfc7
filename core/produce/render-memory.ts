import type { RepositoryConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument, writeDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { renderRecordSchema, type RenderRecord } from '../model/render-record.ts';
import type { Store } from '../ports.ts';

const nothing: RenderRecord = { version: 1, files: {}, renders: {} };

/** What was made of the commits of a repository so far. One that cannot be read is begun anew. */
export async function readRenders(
  repository: RepositoryConfig,
  store: Pick<Store, 'get'>,
): Promise<RenderRecord> {
  try {
    return (await readDocument(store, keyOf(repository), renderRecordSchema))?.value ?? nothing;
  } catch (error) {
    if (error instanceof Stop) return nothing;
    throw error;
  }
}

/** Written without a condition: every entry holds for its own inputs, so whichever writer was last may win. */
export async function writeRenders(
  repository: RepositoryConfig,
  record: RenderRecord,
  store: Store,
): Promise<void> {
  await writeDocument(store, keyOf(repository), record, 'any');
}

function keyOf(repository: RepositoryConfig): string {
  return keys.renders(repository.name, trackedRef(repository));
}
