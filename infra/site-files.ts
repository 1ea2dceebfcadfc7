import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultStackSynthesizer, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { siteConfig, type DashboardConfig } from '../core/contract/dashboard.ts';
import { flattened } from './flattened.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface SiteFilesProps {
  /** Folder that `buildSite` filled. */
  readonly site: string;
  readonly bucket: IBucket;
  readonly dashboard: DashboardConfig;
}

/** What keeps its name from one version to the next. */
const named = ['index.html', 'favicon.svg'];
/** The function that copies is the CDK's own, one for the stack. */
const copier = 'Custom::CDKBucketDeployment';

/**
 * Puts the site into its bucket: first what has another name for each content, then the page that names it. Parts of the
 * version before stay, since somebody may have its page open.
 */
export class SiteFiles extends Construct {
  constructor(scope: Construct, id: string, { site, bucket, dashboard }: SiteFilesProps) {
    super(scope, id);
    const files = new Asset(this, 'FilesAsset', { path: site, exclude: named });
    const page = this.#pageOf(site, dashboard);
    const { role, policy, logGroup } = this.#rights(files.bucket, bucket);
    const deploy = (name: string, { bucket: from, s3ObjectKey }: Asset, caching: CacheControl) =>
      new BucketDeployment(this, name, {
        sources: [Source.bucket(from, s3ObjectKey)],
        destinationBucket: bucket,
        cacheControl: [caching],
        prune: false,
        // Emptied with the stack, or it could not be removed.
        retainOnDelete: false,
        // Its rights are granted here: the CDK would let it read all assets and change ACLs.
        role: role.withoutPolicyUpdates(),
        logGroup,
      });
    const first = deploy('Files', files, CacheControl.fromString('public, max-age=31536000, immutable'));
    first.node.addDependency(policy);
    deploy('Page', page, CacheControl.noCache()).node.addDependency(first);
    for (const each of Stack.of(this).node.children.filter(({ node }) => node.id.startsWith(copier))) {
      const reason = 'The CDK chooses its runtime; it runs at deployments alone.';
      Validations.of(each).acknowledge({ id: 'AwsSolutions-L1', reason });
    }
  }

  #pageOf(site: string, dashboard: DashboardConfig): Asset {
    using folder = temporaryFolder();
    for (const name of named) copyFileSync(path.join(site, name), path.join(folder.path, name));
    writeFileSync(path.join(folder.path, 'config.json'), JSON.stringify(siteConfig(dashboard)));
    return new Asset(this, 'PageAsset', { path: folder.path });
  }

  #rights(assets: IBucket, bucket: IBucket) {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'trueup: Puts the files of the dashboard into their bucket, at deployments',
    });
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(role);
    const may = (actions: string[], resource: string) =>
      new PolicyStatement({ actions, resources: [resource] });
    const policy = new Policy(this, 'Rights', {
      roles: [role],
      statements: [
        // Not the one archive: its name changes with its content, and a right is not there the moment that it is given.
        may(['s3:GetObject'], assets.arnForObjects('*.zip')),
        may(['s3:ListBucket', 's3:GetBucketTagging'], bucket.bucketArn),
        may(['s3:PutObject', 's3:DeleteObject'], bucket.arnForObjects('*')),
      ],
    });
    this.#acknowledge(policy, bucket);
    return { role, policy, logGroup };
  }

  #acknowledge(policy: Policy, bucket: IBucket): void {
    const { defaultChild } = bucket.node;
    if (!CfnBucket.isCfnBucket(defaultChild)) throw new Error('the bucket of the site has no CfnBucket');
    const stack = Stack.of(this);
    const own = stack.getLogicalId(defaultChild);
    const { partition, account, region } = stack;
    const assets = `cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-${account}-${region}`;
    const archives = flattened(stack.resolve(`arn:${partition}:s3:::${assets}/*.zip`));
    for (const [resource, reason] of [
      [archives, 'Archives of deployments, which hold code and no secret.'],
      [`<${own}.Arn>/*`, 'All of the bucket is the site, whose files are named by their contents.'],
    ]) {
      Validations.of(policy).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${resource}]`,
        reason: reason ?? '',
      });
    }
  }
}
