import { Architecture, Code } from 'aws-cdk-lib/aws-lambda';
import { bundleOf, functionNames } from './bundle.ts';
import type { FunctionName } from './bundle.ts';
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
