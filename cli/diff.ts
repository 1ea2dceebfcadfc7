import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalWorktree } from '../adapters/local-worktree.ts';
import { openLocalRevision } from '../adapters/local-revision.ts';
import { previewComment } from '../core/compare/comment.ts';
import { compareRenderings, type ComparedTarget } from '../core/compare/comparison.ts';
import { defaultPruneCap, type StackConfig } from '../core/contract/config.ts';
import { describeRef } from '../core/model/object.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { localPerson, localSealer } from './local-session.ts';
import { openSource } from './local-source.ts';
import { renderCommit, type CommitOptions } from './render-commit.ts';
import { table, type Report } from './report.ts';
import { readStackConfig } from './stack-config-file.ts';

export interface DiffOptions {
  readonly base: string;
  /** Default: the files as they are in the checkout. */
  readonly head?: string;
  readonly dir: string;
  /** Stack configuration in JSON or YAML: which clusters there are, and what may be fetched. */
  readonly config?: string;
  /** Name of this repository in the stack configuration. */
  readonly repository?: string;
}

/** What a change would do to every application on every cluster: both commits rendered and compared. Asks no cluster and no AWS. */
export async function diff(options: DiffOptions): Promise<Report> {
  const config = options.config === undefined ? undefined : await readStackConfig(options.config);
  const rendering = await renderingOf(config, options.repository);
  const scratch = await mkdtemp(join(tmpdir(), 'trueup-diff-'));
  try {
    const { worktree } = await openSource(options.dir);
    const at = async (revision: string, name: string): Promise<LocalWorktree> => {
      const into = await mkdtemp(join(scratch, `${name}-`));
      const folder = worktree.directory;
      return openLocalRevision({ folder, revision, into, person: localPerson(), now: Date.now() });
    };
    const base = await renderCommit(await at(options.base, 'base'), rendering);
    const head = await renderCommit(
      options.head === undefined ? worktree : await at(options.head, 'head'),
      rendering,
    );
    const targets = compareRenderings(base.renderings, head.renderings, {
      cap: config?.pruneCap ?? defaultPruneCap,
      isComplete: head.faults.length === 0,
    });
    const names = { base: options.base, head: options.head ?? 'the files in the checkout' };
    return reportOf(targets, names, head.faults);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function renderingOf(
  config: StackConfig | undefined,
  repository: string | undefined,
): Promise<CommitOptions> {
  const sealer = localSealer();
  if (config === undefined) return { sealer };
  const [only, ...more] = config.repositories;
  const named = config.repositories.find(({ name }) => name === repository);
  const chosen = named ?? (more.length === 0 && repository === undefined ? only : undefined);
  if (chosen === undefined) {
    const names = config.repositories.map(({ name }) => name).join(', ');
    throw new CliError(`Which repository is this? Give --repository, one of ${names}.`);
  }
  return { sealer, config, repository: chosen };
}

function reportOf(
  targets: readonly ComparedTarget[],
  names: { readonly base: string; readonly head: string },
  faults: readonly { readonly subject: string; readonly message: string }[],
): Report {
  const rows = targets.flatMap(({ cluster, application, objects }) =>
    objects.map(({ ref, kind, fields, risks }) => [
      cluster,
      application,
      describeRef(ref),
      kind,
      fields
        .map(({ path }) => path)
        .join(', ')
        .slice(0, 80),
      risks.map(({ text }) => text).join('; '),
    ]),
  );
  const failed = targets.flatMap((target) => target.faults);
  const all = [
    ...new Map([...faults, ...failed].map((fault) => [`${fault.subject} ${fault.message}`, fault])).values(),
  ];
  const head = ['CLUSTER', 'APPLICATION', 'OBJECT', 'CHANGE', 'FIELDS', 'LOOK TWICE'];
  return {
    data: { ...names, targets: targets.map(withoutObjects), faults: all },
    text: rows.length === 0 ? 'Nothing changes.' : table(head, rows),
    markdown: previewComment(targets, { ...names, broken: faults }),
    notes: all.map(({ subject, message }) => `${subject}: ${message}`),
    exitCode: all.length > 0 ? exitCodes.failed : exitCodes.ok,
  };
}

/** The fields that differ say enough; whole objects would be most of the answer. */
function withoutObjects({ objects, ...target }: ComparedTarget) {
  return { ...target, objects: objects.map(({ base: _base, head: _head, ...object }) => object) };
}
