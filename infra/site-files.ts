import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib/core';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import type { BucketDeploymentProps } from 'aws-cdk-lib/aws-s3-deployment';
import type { Construct } from 'constructs';
import { siteConfig, type DashboardConfig } from '../core/contract/dashboard.ts';

interface SiteFilesProps {
  /** Folder that `buildSite` filled. */
  readonly site: string;
  readonly bucket: Bucket;
  readonly dashboard: DashboardConfig;
}

const day = 86_400;
const always = [CacheControl.fromString(`public, max-age=${365 * day}, immutable`)];
const asked = [CacheControl.noCache()];
/** What keeps its name from one version to the next. */
const named = ['index.html', 'favicon.svg'];

/**
 * Puts the site into its bucket: first what has a name of its own for each content, then the page that names it. Parts of the
 * version before stay, since somebody may have its page open.
 */
export function deploySite(scope: Construct, { site, bucket, dashboard }: SiteFilesProps): void {
  const role = new Role(scope, 'DeployRole', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: 'trueup: Puts the files of the dashboard into their bucket, at each deployment',
  });
  const logGroup = new LogGroup(scope, 'DeployLog', {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  logGroup.grantWrite(role);
  // Emptied with the stack, or it could not be removed.
  const common = { destinationBucket: bucket, role, logGroup, prune: false, retainOnDelete: false };
  const parts = add('Parts', { sources: [Source.asset(site, { exclude: named })], cacheControl: always });
  const others = Source.asset(site, { exclude: ['*', ...named.map((name) => `!${name}`)] });
  const config = Source.jsonData('config.json', siteConfig(dashboard));
  const page = add('Page', { sources: [others, config], cacheControl: asked });
  page.node.addDependency(parts);
  acknowledge(role, bucket);

  function add(
    id: string,
    props: Pick<BucketDeploymentProps, 'sources' | 'cacheControl'>,
  ): BucketDeployment {
    return new BucketDeployment(scope, id, { ...common, ...props });
  }
}

/** The CDK's own function and its rights. */
function acknowledge(role: Role, bucket: Bucket): void {
  Validations.of(role).acknowledge({ id: 'X', reason: `${Stack.of(bucket).stackName}` });
}
