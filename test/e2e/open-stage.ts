import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { testAws } from '../aws/test-aws.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { install, type InstallationOptions } from './installation.ts';
import { narrator } from './narrator.ts';
import { recordsOf } from './records.ts';
import { kubectlOf, type Stage } from './stage.ts';

/** A deployed stack of its own on the local AWS and the control plane that all tests share, and a clone to push from. */
export interface OpenStage {
  readonly stage: Stage;
  readonly cluster: TestCluster;
  /** Folder for whatever a test writes; it goes with the stage. */
  readonly dir: string;
  close(): Promise<void>;
}

/**
 * `name`: of the fleet, of the namespace, and the label of the one cluster, `local`. `repositories`: beside that of the
 * Git host. `overridesIn`: what the configuration says besides, where it names the namespace.
 */
export async function openStage(
  name: string,
  repositories: InstallationOptions['repositories'] = [],
  overridesIn: (namespace: string) => InstallationOptions['overrides'] = () => undefined,
): Promise<OpenStage> {
  const dir = await mkdtemp(join(tmpdir(), `trueup-${name}-`));
  const cluster = await testCluster(name);
  const { aws } = await testAws();
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const overrides = overridesIn(cluster.namespace);
  const installation = await install({
    fleet: name,
    dir,
    from: resolve(import.meta.dirname, '../../examples/quickstart'),
    clusters: [{ name: 'local', labels: { test: name }, cluster }],
    progress,
    aws,
    repositories,
    ...(overrides !== undefined && { overrides }),
  });
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  const kubectl = kubectlOf(installation.tools.kubectl, cluster.kubeconfigPath);
  const records = recordsOf(installation);
  return {
    stage: { installation, records, clone, narrator: narrator(progress), cluster: 'local', kubectl },
    cluster,
    dir,
    close: async () => {
      await installation.stop();
      await cluster.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
