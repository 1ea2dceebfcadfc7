import { join } from 'node:path';
import { LocalWorktree, placeFrom } from '../adapters/local-worktree.ts';
import { faultsOf, type Fault } from '../core/errors.ts';
import { dependencyCycles } from '../core/produce/dependency-cycles.ts';
import type { SourcedApplication } from '../core/source.ts';
import { exitCodes } from './cli-error.ts';
import { renderingOf } from './diff.ts';
import { callersFolder } from './local-session.ts';
import { openFolder } from './local-source.ts';
import { renderCommit, type CommitOptions } from './render-commit.ts';
import type { Report } from './report.ts';
import { readStackConfig } from './stack-config-file.ts';

export interface ValidateOptions {
  readonly dir: string;
  /** Stack configuration in JSON or YAML: which clusters and repositories may be named. */
  readonly config?: string;
  /** Name of this repository in the stack configuration. */
  readonly repository?: string;
}

interface Found {
  readonly applications: readonly SourcedApplication[];
  readonly faults: readonly Fault[];
}

/** What a push of this checkout would be refused for: schema, references, render and cycles. Asks no cluster and no AWS. */
export async function validate(options: ValidateOptions): Promise<Report> {
  const config = options.config === undefined ? undefined : await readStackConfig(options.config);
  const { worktree: around, path } = await openFolder(options.dir);
  // What is validated is the root of its repository, in Git or not yet.
  const directory = join(around.directory, path);
  const worktree = new LocalWorktree({ directory, commit: around.commit });
  const { applications, faults } = await look(worktree, await renderingOf(config, options.repository));
  const place = placeFrom(callersFolder(), directory);
  const told = unique(faults.map(({ subject, message }) => ({ subject: place(subject), message })));
  const well = `${applications.length} ${applications.length === 1 ? 'application is' : 'applications are'} valid`;
  const text = told.map(({ subject, message }) => `${subject}: ${message}`).join('\n');
  return {
    data: { applications: applications.map(({ application }) => application.metadata.name), faults: told },
    text: told.length === 0 ? well : text,
    notes: elsewhere(applications).map(place),
    exitCode: told.length === 0 ? exitCodes.ok : exitCodes.found,
  };
}

async function look(worktree: LocalWorktree, options: CommitOptions): Promise<Found> {
  try {
    const { applications, renderings, faults } = await renderCommit(worktree, options);
    const broken = [...renderings.values()].flatMap((one) => (one.kind === 'failed' ? one.faults : []));
    // Targets of other repositories are in the records alone, which are not asked.
    const cycles = await dependencyCycles(applications, { get: async () => undefined });
    return { applications, faults: [...faults, ...broken, ...[...cycles.values()].flat()] };
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    return { applications: [], faults };
  }
}

/** No fault: another repository may have it. But it may be a slip of the pen as well. */
function elsewhere(applications: readonly SourcedApplication[]): readonly string[] {
  const names = new Set(applications.map(({ application }) => application.metadata.name));
  return applications.flatMap(({ application, dependsOnPlace }) =>
    application.spec.dependsOn.flatMap(({ application: needed }) =>
      names.has(needed)
        ? []
        : [
            `${dependsOnPlace}: spec.dependsOn: ${needed} is not in this checkout; another repository must have it`,
          ],
    ),
  );
}

/** An application that cannot be rendered has the same fault on each cluster. */
function unique(faults: readonly Fault[]): readonly Fault[] {
  return [...new Map(faults.map((fault) => [`${fault.subject} ${fault.message}`, fault])).values()];
}
