import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TrueUpFunction } from './trueup-function.ts';

/** The stack configuration as a JSON object in S3: its key is its content's hash, and its size has no limit. */
export class ConfigAsset extends Construct {
  /** `bucket/key`. */
  readonly location: string;
  readonly #read: Policy;

  constructor(scope: Construct, id: string, config: StackConfig) {
    super(scope, id);
    using folder = temporaryFolder();
    const file = path.join(folder.path, 'config.json');
    const text = JSON.stringify(config, undefined, 2);
    writeFileSync(file, text);
    const asset = new Asset(this, 'Asset', { path: file });
    this.location = `${asset.s3BucketName}/${asset.s3ObjectKey}`;
    // Named by content: a change makes a second policy and drops the first one after the functions have moved on.
    // One policy, changed, would for some seconds refuse the old object to functions that start with the old key.
    const version = createHash('sha256').update(text).digest('hex').slice(0, 8);
    this.#read = new Policy(this, `Read${version}`, {
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject'],
          resources: [asset.bucket.arnForObjects(asset.s3ObjectKey)],
        }),
      ],
    });
  }

  grant(to: TrueUpFunction): void {
    this.#read.attachToRole(to.role);
    to.function.node.addDependency(this.#read);
    to.set('config', this.location);
  }
}
