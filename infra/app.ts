import { App, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import { stackName } from '../core/contract/environment.ts';
import { bundleFunctions, sourceOf } from './bundle.ts';
import { readSettings, SettingsError } from './settings.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TrueUp } from './trueup.ts';
import { wantedFunctions } from './wanted-functions.ts';

const app = new App();
try {
  const { config, snapshotPackaging, hookConcurrency, removal } = await readSettings((name) =>
    app.node.tryGetContext(name),
  );
  using bundles = temporaryFolder();
  await bundleFunctions(bundles.path, sourceOf, wantedFunctions(config));
  const name = stackName(config.fleet);
  const stack = new Stack(app, name, { description: `trueup: GitOps for EKS, installation ${config.fleet}` });
  new TrueUp(stack, 'TrueUp', {
    config,
    bundles: bundles.path,
    snapshotPackaging,
    hookConcurrency,
    ...(removal === 'destroy' && { removalPolicy: RemovalPolicy.DESTROY }),
  });
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
