import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Aspects, AspectPriority, Lazy } from 'aws-cdk-lib/core';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { parseStackConfig } from '../core/contract/config.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { TrueUpFunction } from './trueup-function.ts';

/** The stack configuration as a JSON object in S3: its key is its content's hash, and its size has no limit. */
export class ConfigAsset extends Construct {
  /** `bucket/key`, known at synthesis. */
  readonly location: string;
  readonly #config: () => StackConfig;
  readonly #readers: TrueUpFunction[] = [];
  #asset: Asset | undefined;

  /** `config` is asked at synthesis, since clusters may be added until then; throws there what is wrong with it. */
  constructor(scope: Construct, id: string, config: () => StackConfig) {
    super(scope, id);
    this.#config = config;
    this.location = Lazy.string({
      produce: () =>
        this.#asset === undefined ? '' : `${this.#asset.s3BucketName}/${this.#asset.s3ObjectKey}`,
    });
    // An asset has its content from the start on: it is made once nothing can be added any more.
    const visit = (node: unknown): void => {
      if (node === this) this.#asset ??= this.#write();
    };
    Aspects.of(this).add({ visit }, { priority: AspectPriority.MUTATING });
  }

  /** May read it, and nothing else of the bucket of assets. */
  grant(to: TrueUpFunction): void {
    this.#readers.push(to);
    to.set('config', this.location);
  }

  #write(): Asset {
    using folder = temporaryFolder();
    const file = path.join(folder.path, 'config.json');
    const text = JSON.stringify(parseStackConfig(this.#config()), undefined, 2);
    writeFileSync(file, text);
    const asset = new Asset(this, 'Asset', { path: file });
    // Named by content: a change makes a second policy and drops the first one after the functions have moved on.
    // One policy, changed, would for some seconds refuse the old object to functions that start with the old key.
    const version = createHash('sha256').update(text).digest('hex').slice(0, 8);
    const read = new Policy(this, `Read${version}`, {
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject'],
          resources: [asset.bucket.arnForObjects(asset.s3ObjectKey)],
        }),
      ],
    });
    for (const { role, function: reader } of this.#readers) {
      read.attachToRole(role);
      reader.node.addDependency(read);
    }
    return asset;
  }
}
