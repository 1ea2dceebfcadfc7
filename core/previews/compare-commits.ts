import { previewComment } from '../compare/comment.ts';
import { compareRenderings, type ComparedTarget } from '../compare/comparison.ts';
import { judgedWords, judgeRenderings, type JudgedBy, type JudgedFor } from '../compare/judge-renderings.ts';
import { plural } from '../compare/markdown.ts';
import type { StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { readDocument } from '../documents.ts';
import { Stop, type Fault } from '../errors.ts';
import type { PlacedCommit } from '../preview-ports.ts';
import { clusterFactsSchema } from '../model/facts.ts';
import type { PullPreview, TouchedTarget } from '../model/pull-preview.ts';
import type { Git, Store } from '../ports.ts';
import type { KubernetesSchemas } from '../policies/kubernetes-schemas.ts';
import { readPolicies, type PolicyFiles } from '../policies/read-policies.ts';
import { clustersPlaceholder } from './clusters-section.ts';
import type { CommitState } from './commit-state.ts';
import { renderingsOf } from './renderings-of.ts';
import type { Pointers } from './touched-targets.ts';
import { isWithheld } from './withheld.ts';

export interface CompareDeps {
  readonly store: Store;
  readonly git: Pick<Git, 'checkout'>;
  readonly config: Pick<StackConfig, 'clusters' | 'policies' | 'pruneCap'>;
  readonly schemas: () => Promise<KubernetesSchemas>;
}

/** Two commits of a repository, as following each would leave the records. */
export interface Compared {
  readonly repository: RepositoryConfig;
  readonly commits: { readonly base: PlacedCommit; readonly head: PlacedCommit };
  readonly base: CommitState;
  readonly head: CommitState;
  /** With those that the head gave up. */
  readonly headPointers: Pointers;
  readonly touched: readonly TouchedTarget[];
  /** Of a pull request that comes from a fork. */
  readonly isStranger: boolean;
}

type Rendered = NonNullable<PullPreview['rendered']>;

/** What is said of the change, but for what clusters say. */
export async function compareCommits(
  compared: Compared,
  deps: CompareDeps,
): Promise<Pick<Rendered, 'text' | 'status' | 'quiet'>> {
  const { base, head, headPointers, touched, isStranger, commits } = compared;
  const clusters = new Set(touched.map(({ target }) => target.cluster));
  const common = { clusters, isPublic: isStranger };
  const before = await renderingsOf(base.pointers, base.store, { ...common, broken: base.pointers });
  const after = await renderingsOf(headPointers, head.store, { ...common, broken: base.pointers });
  const policies = await policiesOf(compared, deps);
  const by: JudgedBy = {
    rules: deps.config.policies,
    schemas: await deps.schemas(),
    policyFiles: { base: policies.base.objects, head: policies.head.objects },
    isHeadTrusted: !isStranger,
    clusterOf: await clustersIn(clusters, deps),
  };
  const findings = judgeRenderings(before, after, by);
  const options = { cap: deps.config.pruneCap, isComplete: true, findings };
  const targets = compareRenderings(before, after, options);
  const broken = newFaults(
    [...head.faults, ...policies.head.faults],
    [...base.faults, ...policies.base.faults, ...targets.flatMap(({ faults }) => faults)],
  );
  const text = previewComment(targets, {
    base: short(commits.base.sha),
    head: short(commits.head.sha),
    broken,
    judgedBy: judgedWords(by, clusters),
    more: [clustersPlaceholder(commits.head.sha)],
  });
  const quiet = targets.length + broken.length === 0;
  return { text, quiet, status: statusOf(targets, broken, isStranger) };
}

function short(sha: string): string {
  return sha.slice(0, 7);
}

async function policiesOf(
  { repository, commits }: Compared,
  { git }: CompareDeps,
): Promise<{ readonly base: PolicyFiles; readonly head: PolicyFiles }> {
  const none: PolicyFiles = { objects: [], faults: [] };
  const folder = repository.policies;
  if (folder === undefined) return { base: none, head: none };
  const at = async ({ sha, ref }: PlacedCommit): Promise<PolicyFiles> => {
    try {
      await using worktree = await git.checkout(repository, sha, ref);
      return worktree === undefined ? none : await readPolicies(worktree, folder);
    } catch (error) {
      // A tree that nobody may check out: what is wrong with it is told, as it is of its applications.
      if (error instanceof Stop) return { objects: [], faults: error.faults };
      throw error;
    }
  };
  return { base: await at(commits.base), head: await at(commits.head) };
}

async function clustersIn(
  names: ReadonlySet<string>,
  { store, config }: CompareDeps,
): Promise<(name: string) => JudgedFor> {
  const known = new Map<string, JudgedFor>();
  for (const name of names) {
    const labels = config.clusters.find((one) => one.name === name)?.labels ?? {};
    const facts = await factsOf(name, store);
    known.set(name, {
      cluster: { name, labels },
      kubernetesVersion: facts?.version,
      served: facts?.apiVersions,
    });
  }
  return (name) => known.get(name) ?? { cluster: { name, labels: {} } };
}

/** Of a cluster that was never seen, or whose record cannot be read, nothing is known. */
async function factsOf(cluster: string, store: Store) {
  try {
    return (await readDocument(store, keys.facts(cluster), clusterFactsSchema))?.value;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}

/** Those that are not known already, each once. Events cut long ones, so that their beginnings have to do. */
function newFaults(faults: readonly Fault[], known: readonly Fault[]): readonly Fault[] {
  const spelt = ({ subject, message }: Fault): string => `${subject.slice(0, 300)} ${message.slice(0, 500)}`;
  const seen = new Set(known.map(spelt));
  return faults.filter((fault) => {
    const isNew = !seen.has(spelt(fault));
    seen.add(spelt(fault));
    return isNew;
  });
}

/** A stranger's change that cannot be looked at is not let pass for one that is fine. */
function statusOf(
  targets: readonly ComparedTarget[],
  broken: readonly Fault[],
  isStranger: boolean,
): Rendered['status'] {
  const faults = [...broken, ...targets.flatMap((target) => target.faults)];
  const failing = faults.filter((fault) => isStranger || !isWithheld(fault)).length;
  const refused = targets.flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity === 'error'),
  ).length;
  if (failing > 0)
    return { state: 'failure', description: `${plural(failing, 'fault')}: not all can be rendered` };
  if (refused > 0) return { state: 'failure', description: `${plural(refused, 'object')} would be refused` };
  if (targets.length === 0) return { state: 'success', description: 'nothing changes on any cluster' };
  const risks = targets.flatMap((target) => [
    ...target.risks,
    ...target.objects.flatMap((object) => object.risks),
  ]).length;
  const where = new Set(targets.map(({ cluster }) => cluster)).size;
  const what = new Set(targets.map(({ application }) => application)).size;
  const changes = `${plural(what, 'application')} on ${plural(where, 'cluster')}`;
  const twice = risks === 0 ? '' : `; ${plural(risks, 'risk')} to look at`;
  return { state: 'success', description: `${changes}${twice}` };
}
