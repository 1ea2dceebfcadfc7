import { faultsOf } from '../errors.ts';
import type { Worktree } from '../ports.ts';
import { parseApplication } from '../source.ts';
import { readYaml } from '../yaml/read-yaml.ts';

/** What of a commit is an application's own. */
export interface ApplicationFiles {
  /** Folders of its source; none where that is in another repository. */
  readonly folders: readonly string[];
  /** Its Application stands in that file with nothing beside it. */
  readonly isAlone: boolean;
}

/** Undefined where that commit does not define the application in this file, or not so that it can be read. */
export async function readApplicationFiles(
  worktree: Worktree,
  file: string,
  application: string,
): Promise<ApplicationFiles | undefined> {
  if (!worktree.ids.has(file)) return undefined;
  try {
    const documents = readYaml(file, await worktree.text(file));
    for (const document of documents) {
      const parsed = parseApplication(file, document);
      if ('faults' in parsed || parsed.application.metadata.name !== application) continue;
      const { source } = parsed.application.spec;
      const paths = [source.path, ...(source.overrides ?? []).map(({ path }) => path)];
      const folders = source.repository === undefined ? paths.flatMap((path) => path ?? []) : [];
      return { folders, isAlone: documents.length === 1 };
    }
    return undefined;
  } catch (error) {
    if (faultsOf(error) === undefined) throw error;
    return undefined;
  }
}
