import { filledLink, type CommitStatusConfig } from '../contract/commit-status.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import type { CommitStatus, Deployment, GitHost } from '../host-ports.ts';
import type { LineState } from '../model/report.ts';
import { readLineId, type Line } from './lines.ts';
import type { Tell } from './next-report.ts';

export interface TellDeps {
  readonly host: Pick<GitHost, 'status' | 'deployment'>;
  readonly fleet: string;
  readonly status: CommitStatusConfig;
}

const statusStates: Readonly<Record<LineState, CommitStatus['state']>> = {
  pending: 'pending',
  begun: 'pending',
  success: 'success',
  failure: 'failure',
  superseded: 'overtaken',
};

const deploymentStates: Readonly<Record<LineState, Deployment['state']>> = {
  pending: 'pending',
  begun: 'in_progress',
  success: 'success',
  failure: 'failure',
  superseded: 'inactive',
};

/** Tells the Git host one line. A host without deployments keeps nothing of them, which is no fault. */
export async function tellHost(
  repository: RepositoryConfig,
  { sha, id, line }: Tell,
  deps: TellDeps,
): Promise<void> {
  const { kind, name } = readLineId(id);
  const url = linkOf(repository, sha, line, deps);
  const told = { description: line.text, ...(url !== undefined && { url }) };
  if (kind === 'status') {
    await deps.host.status(repository, sha, { context: name, state: statusStates[line.state], ...told });
    return;
  }
  const deployment = { environment: name, ref: trackedRef(repository), sha };
  await deps.host.deployment(repository, { ...deployment, state: deploymentStates[line.state], ...told });
}

/** The record of a run where one is told of, else whatever there is for the cluster. */
function linkOf(
  { name: repository }: RepositoryConfig,
  sha: string,
  { cluster, application, run }: Line,
  { fleet, status }: TellDeps,
): string | undefined {
  const parts = {
    fleet,
    repository,
    sha,
    ...(cluster !== undefined && { cluster }),
    ...(application !== undefined && { application }),
    ...(run !== undefined && { run }),
  };
  const ofRun = run === undefined ? undefined : filledLink(status.runUrl, parts);
  return ofRun ?? filledLink(status.url, parts);
}
