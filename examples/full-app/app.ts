import { App, Stack } from 'aws-cdk-lib/core';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  Port,
  SecurityGroup,
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
const trueup = new TrueUp(stack, 'TrueUp', { config, hookConcurrency: 20 });

// A cluster in this account, reached over its public endpoint; `trueup grant` prints its RBAC.
trueup.addCluster({
  name: 'staging',
  labels: { environment: 'staging' },
  access: { type: 'eks', name: 'staging' },
});
new ClusterAccess(stack, 'StagingAccess', { trueup, cluster: { clusterName: 'staging' } });

// A cluster whose endpoint is private: functions of its own in its VPC, which is there already and has no way to the internet.
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-0123456789abcdef0',
  vpcCidrBlock: '10.20.0.0/16',
  availabilityZones: ['eu-west-1a', 'eu-west-1b'],
  isolatedSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  isolatedSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
});
// Their way to AWS: those of these endpoints that the VPC has not yet.
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
// Their way to the cluster, whose security group lets nobody in but its nodes.
const functions = new SecurityGroup(stack, 'Functions', { vpc, description: 'Functions of trueup' });
const ofCluster = SecurityGroup.fromSecurityGroupId(stack, 'ClusterGroup', 'sg-0123456789abcdef0');
ofCluster.addIngressRule(functions, Port.HTTPS, 'trueup');
const network = trueup.addNetwork({
  name: 'vault',
  vpc,
  subnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
  securityGroups: [functions],
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
