import { Architecture, Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { bundleOf, functionNames } from './bundle.ts';
import type { FunctionName } from './bundle.ts';
import { snapshotImage } from './snapshot-image.ts';
import type { FunctionCode } from './trueup-function.ts';

/** Code of each function out of the folder that `bundleFunctions` filled: staged when it is first used, and only then. */
export function functionCode(bundles: string): (name: FunctionName) => FunctionCode {
  const codes = new Map(
    functionNames.map((name): [FunctionName, FunctionCode] => {
      // Arm costs a fifth less; the bundles hold no native code.
      const architecture = Architecture.ARM_64;
      return [name, { kind: 'zip', code: Code.fromAsset(bundleOf(bundles, name)), architecture }];
    }),
  );
  return (name) => {
    const code = codes.get(name);
    if (code === undefined) throw new Error(`there is no bundle of ${name}`);
    return code;
  };
}

/** How functions get git, kubectl and Helm. */
export interface GitPackaging {
  /** Folder that `bundleFunctions` filled. */
  readonly bundles: string;
  readonly snapshotPackaging: 'image' | 'zip';
}

/**
 * As an image for AWS; as a zip with the machine's own git and kubectl for a local deployment. kubectl and Helm of the
 * image are built for x86_64, and the architecture is the same in both so that they differ in code alone.
 */
export function codeWithGit(
  scope: Construct,
  name: FunctionName,
  { bundles, snapshotPackaging }: GitPackaging,
): FunctionCode {
  const folder = bundleOf(bundles, name);
  const architecture = Architecture.X86_64;
  return snapshotPackaging === 'zip'
    ? { kind: 'zip', code: Code.fromAsset(folder), architecture }
    : { kind: 'image', image: snapshotImage(scope, folder), architecture };
}
