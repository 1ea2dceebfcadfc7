import { CfnOutput } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { outputs } from '../core/contract/environment.ts';

/** The stack's outputs under the exact names that the command line reads. */
export class Outputs extends Construct {
  constructor(scope: Construct, id: string, values: Readonly<Record<keyof typeof outputs, string>>) {
    super(scope, id);
    for (const [key, name] of Object.entries(outputs)) {
      const output = new CfnOutput(this, name, { value: values[key as keyof typeof outputs] });
      output.overrideLogicalId(name);
    }
  }
}
