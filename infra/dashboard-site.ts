import { CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib/core';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { signInOrigins, type DashboardConfig } from '../core/contract/dashboard.ts';
import type { Queues } from './queues.ts';
import { SiteFiles } from './site-files.ts';
import { headersPolicy } from './site-policy.ts';
import type { TargetWorld } from './target-functions.ts';
import { TrueUpFunction } from './trueup-function.ts';

export interface DashboardSiteProps extends TargetWorld {
  readonly dashboard: DashboardConfig;
  readonly queues: Pick<Queues, 'runs'>;
  /** Folder that `buildSite` filled. */
  readonly site: string;
  /** Reserved for the function, which strangers may call as well: it turns them away, and that takes time too. */
  readonly concurrency: number | undefined;
}

/** The dashboard for whoever signs in (issue 8): the site in S3 and the API in a function, both behind CloudFront alone. */
export class DashboardSite extends Construct {
  readonly function: TrueUpFunction;

  constructor(scope: Construct, id: string, props: DashboardSiteProps) {
    super(scope, id);
    const { dashboard, site } = props;
    this.function = this.#api(props);
    const bucket = siteBucket(this);
    const responseHeadersPolicy = headersPolicy(this, signInOrigins(dashboard));
    const url = this.function.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    const distribution = new Distribution(this, 'Distribution', {
      comment: 'The dashboard of trueup',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy,
      },
      additionalBehaviors: {
        'api/*': {
          origin: FunctionUrlOrigin.withOriginAccessControl(url),
          viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
          allowedMethods: AllowedMethods.ALLOW_ALL,
          // What one person may see is kept for nobody.
          cachePolicy: CachePolicy.CACHING_DISABLED,
          // The function URL has a host name of its own.
          originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
          responseHeadersPolicy,
        },
      },
    });
    acknowledge(distribution);
    new SiteFiles(this, 'Files', { site, bucket, dashboard });
    new CfnOutput(this, 'DashboardUrl', {
      value: `https://${distribution.distributionDomainName}/`,
    }).overrideLogicalId('DashboardUrl');
  }

  /** What the questions read and the actions write; no cluster, no Git, no secret, and no key that opens one. */
  #api({ code, configAsset, storage, bus, queues, concurrency }: DashboardSiteProps): TrueUpFunction {
    const to = new TrueUpFunction(this, 'Api', {
      description: 'Answers the dashboard, for whoever is signed in',
      code: code('api'),
      // CloudFront waits 30 s.
      timeout: Duration.seconds(29),
      memoryMiB: 1024,
      reservedConcurrency: concurrency,
    });
    configAsset.grant(to);
    storage.grant(to, {
      // Bodies: of deliveries that are read again.
      read: [
        'snapshots',
        'runs',
        'checks',
        'facts',
        'clusters',
        'bodies',
        'notices',
        'repositories',
        'promoted',
        'leases',
      ],
      // A rollback and its end; accepted drift; what is suspended; which delivery was read again.
      write: ['desired', 'inventory', 'drift', 'openDrift', 'holds', 'deliveries'],
      delete: ['openDrift'],
    });
    bus.grantPublish(to);
    queues.runs.grantSend(to, 'runQueue');
    return to;
  }
}

/** Made anew at each deployment: nothing in it is worth keeping. */
function siteBucket(scope: Construct): IBucket {
  const bucket = new Bucket(scope, 'Site', {
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason: 'It holds the files of the page, the same for everybody, which only CloudFront reads.',
  });
  // The CDK's class and interface disagree about an optional property; it is the same bucket.
  return bucket as IBucket;
}

function acknowledge(distribution: Distribution): void {
  const reasons = {
    CFR1: 'Where people sign in from is for the issuer to bound.',
    CFR2: 'Nothing is answered without a token that the issuer signed; the concurrency of the function bounds what strangers cost.',
    CFR3: 'Who did what is in the records; a log of page views needs a bucket of its own, by choice of the account.',
    CFR4: 'The domain is that of CloudFront, whose certificate comes with its policy of TLS.',
  };
  for (const [rule, reason] of Object.entries(reasons)) {
    Validations.of(distribution).acknowledge({ id: `AwsSolutions-${rule}`, reason });
  }
}
