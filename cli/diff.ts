import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalWorktree } from '../adapters/local-worktree.ts';
import { readKubernetesSchemas } from '../adapters/kubernetes-schemas.ts';
import { openLocalRevision } from '../adapters/local-revision.ts';
import { previewComment } from '../core/compare/comment.ts';
import { compareRenderings, type ComparedTarget } from '../core/compare/comparison.ts';
import { judgedWords, judgeRenderings, type JudgedBy } from '../core/compare/judge-renderings.ts';
import { defaultPruneCap, type StackConfig } from '../core/contract/config.ts';
import type { Fault } from '../core/errors.ts';
import { describeRef } from '../core/model/object.ts';
import { minorOf } from '../core/policies/kubernetes-schemas.ts';
import { checkRules, readPolicies, type PolicyFiles } from '../core/policies/read-policies.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { localPerson, localSealer } from './local-session.ts';
import { openFolder } from './local-source.ts';
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
  /** Of the clusters: `1.34`; default: the newest that is known. */
  readonly kubernetesVersion?: string;
}

/** Where policies are when no configuration says it. */
const defaultPolicies = 'policies';

/** What a change would do to every application on every cluster: both commits rendered and compared. Asks no cluster and no AWS. */
export async function diff(options: DiffOptions): Promise<Report> {
  const config = options.config === undefined ? undefined : await readStackConfig(options.config);
  const { kubernetesVersion: version } = options;
  if (version !== undefined && minorOf(version) === undefined)
    throw new CliError(`--kubernetes-version ${version} is no version of Kubernetes, such as 1.34.`);
  checkRules(config?.policies ?? []);
  const rendering = await renderingOf(config, options.repository);
  const scratch = await mkdtemp(join(tmpdir(), 'trueup-diff-'));
  try {
    const { worktree } = await openFolder(options.dir);
    const at = async (revision: string, name: string): Promise<LocalWorktree> => {
      const into = await mkdtemp(join(scratch, `${name}-`));
      const folder = worktree.directory;
      return openLocalRevision({ folder, revision, into, person: localPerson(), now: Date.now() });
    };
    const [base, head] = [
      await at(options.base, 'base'),
      options.head === undefined ? worktree : await at(options.head, 'head'),
    ];
    return await compare({ base, head }, rendering, options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function compare(
  commits: { readonly base: LocalWorktree; readonly head: LocalWorktree },
  rendering: CommitOptions,
  options: DiffOptions,
): Promise<Report> {
  const { config, repository } = rendering;
  const base = await renderCommit(commits.base, rendering);
  const head = await renderCommit(commits.head, rendering);
  const folder = repository === undefined ? defaultPolicies : repository.policies;
  const policies = {
    base: await readPolicies(commits.base, folder),
    head: await readPolicies(commits.head, folder),
  };
  const by = await judgedBy(policies, config, options.kubernetesVersion);
  const targets = compareRenderings(base.renderings, head.renderings, {
    cap: config?.pruneCap ?? defaultPruneCap,
    isComplete: head.faults.length === 0,
    findings: judgeRenderings(base.renderings, head.renderings, by),
  });
  const names = { base: options.base, head: options.head ?? 'the files in the checkout' };
  const words = judgedWords(
    by,
    new Set([...head.renderings.keys()].map((key) => key.split('/', 1)[0] ?? '')),
  );
  return reportOf(targets, { ...names, judgedBy: words }, [...head.faults, ...policies.head.faults]);
}

async function judgedBy(
  policies: { readonly base: PolicyFiles; readonly head: PolicyFiles },
  config: StackConfig | undefined,
  kubernetesVersion: string | undefined,
): Promise<JudgedBy> {
  const rules = config?.policies ?? [];
  const schemas = await readKubernetesSchemas();
  if (kubernetesVersion !== undefined && minorOf(kubernetesVersion) === undefined) {
    throw new CliError(
      `--kubernetes-version ${kubernetesVersion} is no version of Kubernetes, such as 1.34.`,
    );
  }
  return {
    rules,
    schemas,
    policyFiles: { base: policies.base.objects, head: policies.head.objects },
    isHeadTrusted: true,
    clusterOf: (name) => {
      const labels = config?.clusters.find((cluster) => cluster.name === name)?.labels ?? {};
      return { cluster: { name, labels }, kubernetesVersion };
    },
  };
}

/** How a checkout is rendered where a configuration says it; throws CliError where it does not say which repository it is. */
export async function renderingOf(
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
  names: { readonly base: string; readonly head: string; readonly judgedBy: string },
  faults: readonly Fault[],
): Report {
  const failed = targets.flatMap((target) => target.faults);
  const all = [
    ...new Map([...faults, ...failed].map((fault) => [`${fault.subject} ${fault.message}`, fault])).values(),
  ];
  const isRefused = targets.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
  const texts = [changesTable(targets), findingsTable(targets)].filter((text) => text !== undefined);
  return {
    data: { ...names, targets: targets.map(withoutObjects), faults: all },
    text: texts.length === 0 ? 'Nothing changes.' : texts.join('\n\n'),
    markdown: previewComment(targets, { ...names, broken: faults }),
    notes: all.map(({ subject, message }) => `${subject}: ${message}`),
    exitCode: all.length > 0 ? exitCodes.failed : isRefused ? exitCodes.found : exitCodes.ok,
  };
}

function changesTable(targets: readonly ComparedTarget[]): string | undefined {
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
  const head = ['CLUSTER', 'APPLICATION', 'OBJECT', 'CHANGE', 'FIELDS', 'LOOK TWICE'];
  return rows.length === 0 ? undefined : table(head, rows);
}

function findingsTable(targets: readonly ComparedTarget[]): string | undefined {
  const rows = targets.flatMap(({ cluster, application, findings }) =>
    findings.map(({ ref, severity, kind, policy, text }) => [
      cluster,
      application,
      describeRef(ref),
      kind === 'unjudged' ? kind : severity,
      policy ?? kind,
      text,
    ]),
  );
  const head = ['CLUSTER', 'APPLICATION', 'OBJECT', 'SEVERITY', 'CHECK', 'WHAT'];
  return rows.length === 0 ? undefined : table(head, rows);
}

/** The fields that differ say enough; whole objects would be most of the answer. */
function withoutObjects({ objects, ...target }: ComparedTarget) {
  return { ...target, objects: objects.map(({ base: _base, head: _head, ...object }) => object) };
}
