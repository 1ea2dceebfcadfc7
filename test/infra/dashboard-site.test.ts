import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { siteHeaders } from '../../core/contract/site-headers.ts';
import { rolesIn } from './role-rights.ts';
import { contentsOf, dashboard, ofType, sample, synthesize } from './synthesized.ts';

const stack = synthesize({ ...sample, dashboard }, { hookConcurrency: 7 });
after(() => stack[Symbol.dispose]());

const rights = (name: string) =>
  (rolesIn(stack).get(`<DashboardSite${name}Role>`) ?? []).map(
    ({ action, resource }) => `${action} ${resource}`,
  );

test('it is there only where somebody may sign in', () => {
  using without = synthesize(sample);
  const added = Object.keys(stack.resources).filter((id) => !(id in without.resources));
  const own =
    /^TrueUpDashboardSite|^TrueUpAlarmsdashboarderrors|^TrueUpConfigRead|^CustomCDKBucketDeployment/;
  assert.ok(
    added.every((id) => own.test(id)),
    added.join(' '),
  );
  assert.deepEqual(ofType(without.resources, 'AWS::CloudFront::Distribution'), []);
  stack.template.hasOutput('DashboardUrl', {
    Value: { 'Fn::Join': ['', ['https://', Match.anyValue(), '/']] },
  });
});

test('who answers reads records, writes what the actions write, and enters no cluster, no Git and no secret', () => {
  const all = rights('Api').filter((right) => !/^logs:|the stack configuration/.test(right));
  const folders = (action: string) =>
    all
      .filter((right) => right.startsWith(`${action} `))
      .map((right) => right.replace(/^.*<StorageBucket>\/(.*)\/\*$/, '$1'));
  assert.deepEqual(folders('s3:PutObject'), [
    'deliveries',
    'desired',
    'drift',
    'holds',
    'inventory',
    'open-drift',
  ]);
  assert.deepEqual(folders('s3:DeleteObject'), ['open-drift']);
  assert.deepEqual(
    all.filter((right) => !right.startsWith('s3:')),
    ['events:PutEvents <EventsBus>', 'sqs:SendMessage <QueuesRunsQueue>'],
  );
  // Sealed values stay sealed: it may read snapshots, and has no key.
  assert.ok(folders('s3:GetObject').includes('snapshots'));
  assert.ok(!folders('s3:GetObject').some((folder) => /audit|previews|renders|images|reports/.test(folder)));
});

test('the function is called by this distribution alone, and takes no more of the account than it may', () => {
  stack.template.hasResourceProperties('AWS::Lambda::Url', {
    AuthType: 'AWS_IAM',
    TargetFunctionArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DashboardSiteApi'), 'Arn'] },
  });
  const permissions = ofType(stack.resources, 'AWS::Lambda::Permission').filter(([id]) =>
    id.includes('DashboardSite'),
  );
  assert.deepEqual(permissions.map(([, { Properties }]) => String(Properties['Action'])).toSorted(), [
    'lambda:InvokeFunction',
    'lambda:InvokeFunctionUrl',
  ]);
  for (const [, { Properties }] of permissions) {
    assert.equal(Properties['Principal'], 'cloudfront.amazonaws.com');
    assert.match(JSON.stringify(Properties['SourceArn']), /:distribution\//);
  }
  const [, api] =
    ofType(stack.resources, 'AWS::Lambda::Function').find(([id]) => id.includes('DashboardSiteApi')) ?? [];
  assert.equal(api?.Properties['ReservedConcurrentExecutions'], 7);
});

test('answers are cached by nobody on the way, and asked for with all that the browser sends', () => {
  stack.template.hasResourceProperties('AWS::CloudFront::Distribution', {
    DistributionConfig: {
      DefaultRootObject: 'index.html',
      DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https' },
      CacheBehaviors: [
        {
          PathPattern: 'api/*',
          ViewerProtocolPolicy: 'https-only',
          // CachingDisabled and AllViewerExceptHostHeader, as AWS documents their ids.
          CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
          OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
        },
      ],
    },
  });
});

test('the headers are those of `trueup ui`, with the origins of the sign-in', () => {
  const [[, policy] = []] = ofType(stack.resources, 'AWS::CloudFront::ResponseHeadersPolicy');
  const { ResponseHeadersPolicyConfig: told } = z
    .object({
      ResponseHeadersPolicyConfig: z.object({
        CustomHeadersConfig: z.object({
          Items: z.array(z.object({ Header: z.string(), Value: z.string() })),
        }),
        SecurityHeadersConfig: z.object({
          ContentSecurityPolicy: z.object({ ContentSecurityPolicy: z.string() }),
          ContentTypeOptions: z.object({ Override: z.literal(true) }),
          ReferrerPolicy: z.object({ ReferrerPolicy: z.string() }),
          StrictTransportSecurity: z.object({ AccessControlMaxAgeSec: z.number() }),
        }),
      }),
    })
    .parse(policy?.Properties);
  const { CustomHeadersConfig, SecurityHeadersConfig } = told;
  const sent = {
    ...Object.fromEntries(CustomHeadersConfig.Items.map(({ Header, Value }) => [Header, Value])),
    'content-security-policy': SecurityHeadersConfig.ContentSecurityPolicy.ContentSecurityPolicy,
    'referrer-policy': SecurityHeadersConfig.ReferrerPolicy.ReferrerPolicy,
    'x-content-type-options': 'nosniff',
  };
  const origins = [
    'https://cognito-idp.eu-west-1.amazonaws.com',
    'https://acme.auth.eu-west-1.amazoncognito.com',
  ];
  assert.deepEqual(sent, siteHeaders(origins));
});

test('files that are named by their content are kept for ever, the page is asked for, and tells whom to sign in with', () => {
  const deployments = ofType(stack.resources, 'Custom::CDKBucketDeployment').map(([, { Properties }]) =>
    z
      .object({
        SystemMetadata: z.object({ 'cache-control': z.string() }),
        SourceObjectKeys: z.array(z.string()),
        Prune: z.boolean(),
      })
      .parse(Properties),
  );
  const contents = deployments.map(({ SystemMetadata, SourceObjectKeys: [key = ''], Prune }) => {
    const folder = path.join(stack.outdir, `asset.${key.replace(/\.zip$/, '')}`);
    return [
      SystemMetadata['cache-control'],
      Object.keys(contentsOf(folder)).toSorted(),
      Prune,
      folder,
    ] as const;
  });
  assert.deepEqual(
    contents.map(([caching, files, prune]) => [caching, files, prune]),
    [
      ['public, max-age=31536000, immutable', ['main-ABCDEFGH.js'], false],
      ['no-cache', ['config.json', 'favicon.svg', 'index.html'], false],
    ],
  );
  const config: unknown = JSON.parse(readFileSync(path.join(contents[1]?.[3] ?? '', 'config.json'), 'utf8'));
  const { issuer, clientId } = dashboard.oidc;
  assert.deepEqual(config, { oidc: { issuer, clientId, scope: 'openid email profile' } });
});

test('its failures ring: behind no queue, it has no dead letters that would tell of them', () => {
  stack.template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmName: 'trueup-acme-dashboard-errors',
    MetricName: 'Url5xxCount',
    TreatMissingData: 'notBreaching',
  });
});
