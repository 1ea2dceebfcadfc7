import { App, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { ClusterAccess, TrueUp, type StackConfigInput } from 'trueup';

// npx cdk deploy --app 'node examples/full-app/app.ts'

const config: StackConfigInput = {
  fleet: 'acme',
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/example/platform-config.git',
      tokenSecret: 'trueup/platform-token',
    },
  ],
  // In another account, which trusts the functions' roles: every EKS cluster that carries the tag is served.
  discovery: [
    {
      region: 'eu-central-1',
      roleArn: 'arn:aws:iam::210987654321:role/trueup',
      externalId: 'acme-trueup',
      tags: { trueup: 'yes' },
      labelsFromTags: 'trueup/',
      namePrefix: 'frankfurt-',
    },
  ],
  concurrency: { runs: 50, sweeps: 20, runsPerCluster: 10 },
  sweepMinutes: 2,
  // What was done, and what drifted, stays readable for an audit whatever somebody does.
  recordLock: { mode: 'governance', days: 400 },
};

const app = new App();
const stack = new Stack(app, 'trueup-acme');
const trueup = new TrueUp(stack, 'TrueUp', {
  config,
  hookConcurrency: 20,
  removalPolicy: RemovalPolicy.RETAIN,
});

// A cluster in this account, reached over its public endpoint; `trueup grant` prints its RBAC.
trueup.addCluster({
  name: 'staging',
  labels: { environment: 'staging' },
  access: { type: 'eks', name: 'staging' },
});
new ClusterAccess(stack, 'StagingAccess', { trueup, cluster: { clusterName: 'staging' } });

// A cluster whose endpoint is private: its functions are in its VPC, which has no way to the internet.
const vpc = new Vpc(stack, 'Vpc', {
  natGateways: 0,
  subnetConfiguration: [{ name: 'clusters', subnetType: SubnetType.PRIVATE_ISOLATED }],
});
vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
for (const service of [
  'SQS',
  'KMS',
  'SECRETS_MANAGER',
  'EVENTBRIDGE',
  'CLOUDWATCH_MONITORING',
  'EKS',
  'STS',
] as const) {
  vpc.addInterfaceEndpoint(service, { service: InterfaceVpcEndpointAwsService[service] });
}
const network = trueup.addNetwork({
  name: 'vault',
  vpc,
  subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
});
trueup.addCluster({
  name: 'vault',
  labels: { environment: 'production' },
  access: { type: 'eks', name: 'vault' },
  network,
});
new ClusterAccess(stack, 'VaultAccess', { trueup, cluster: { clusterName: 'vault' }, network });

// People hear of alarms, and a queue of yours of each run that ended.
trueup.alarmTopic.addSubscription(new EmailSubscription('on-call@example.com'));
new Rule(stack, 'Runs', {
  eventBus: trueup.bus,
  eventPattern: { source: ['trueup'], detailType: ['ReconcileFinished'] },
  targets: [new SqsQueue(new Queue(stack, 'Ended', { enforceSSL: true }))],
});
