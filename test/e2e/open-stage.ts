import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { testAws } from '../aws/test-aws.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { cloneWorktree } from '../git/worktree.ts';
import { install, type InstallationOptions } from './installation.ts';
import { narrator } from './narrator.ts';
import { recordsOf } from './records.ts';
import { refusals } from './refusals.ts';
import { kubectlOf, type Stage } from './stage.ts';

/** A deployed stack of its own on the local AWS and the control plane that all tests share, and a clone to push from. */
export interface OpenStage {
  readonly stage: Stage;
  readonly cluster: TestCluster;
  /** Folder for whatever a test writes; it goes with the stage. */
  readonly dir: string;
  close(): Promise<void>;
}

/** What a test has in place of the quickstart, by the namespace it was given, and how that repository is configured. */
export interface OwnRepository {
  readonly files?: (namespace: string) => Readonly<Record<string, string>>;
  readonly repository?: InstallationOptions['repository'];
  /** The test takes rights away itself; else no function may have been refused anything when it ends. */
  readonly mayBeRefused?: boolean;
}

/**
 * `name`: of the fleet, of the namespace, and the label of the one cluster, `local`. `repositories`: beside that of the
 * Git host. `overridesIn`: what the configuration says besides, where it names the namespace.
 */
export async function openStage(
  name: string,
  repositories: InstallationOptions['repositories'] = [],
  overridesIn: (namespace: string) => InstallationOptions['overrides'] = () => undefined,
  { files, repository, mayBeRefused = false }: OwnRepository = {},
): Promise<OpenStage> {
  const dir = await mkdtemp(join(tmpdir(), `trueup-${name}-`));
  const cluster = await testCluster(name);
  const { aws } = await testAws();
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const overrides = overridesIn(cluster.namespace);
  const opening = install({
    fleet: name,
    dir,
    from:
      files === undefined
        ? resolve(import.meta.dirname, '../../examples/quickstart')
        : await written(join(dir, 'from'), files(cluster.namespace)),
    clusters: [{ name: 'local', labels: { test: name }, cluster }],
    progress,
    aws,
    repositories,
    ...(repository !== undefined && { repository }),
    ...(overrides !== undefined && { overrides }),
  });
  const installation = await opening.catch(async (error: unknown) => {
    await cluster.stop();
    throw error;
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
      const refused = mayBeRefused ? [] : await refusals(installation);
      await installation.stop();
      await cluster.stop();
      await rm(dir, { recursive: true, force: true });
      if (refused.length > 0) throw new Error(`roles lack rights:\n${refused.join('\n')}`);
    },
  };
}

async function written(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}
