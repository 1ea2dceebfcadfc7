import { RemovalPolicy, Size, Validations } from 'aws-cdk-lib/core';
import type { Duration } from 'aws-cdk-lib/core';
import type { ISecurityGroup, IVpc, SubnetSelection, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { DockerImageFunction, Function, LoggingFormat, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Architecture, Code, DockerImageCode, FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment } from '../core/contract/environment.ts';
import { metricNamespace } from '../core/contract/metrics.ts';

/** A folder with `index.mjs`, staged once for all functions that have it, or a container image that holds the same. */
export type FunctionCode =
  | { readonly kind: 'zip'; readonly code: Code; readonly architecture: Architecture }
  | { readonly kind: 'image'; readonly image: DockerImageCode; readonly architecture: Architecture };

/** Where in a VPC a function runs. Its subnets need a way to AWS's own APIs: a NAT gateway or interface endpoints. */
export interface VpcPlace {
  readonly vpc: IVpc | Vpc;
  /** @default - private subnets with a way out */
  readonly subnets?: SubnetSelection | undefined;
  /** @default - one of its own, which lets everything out and nothing in */
  readonly securityGroups?: readonly ISecurityGroup[] | undefined;
}

export interface TrueUpFunctionProps {
  readonly description: string;
  readonly code: FunctionCode;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  /** Size of /tmp in MiB; default 512. */
  readonly scratchMiB?: number;
  readonly reservedConcurrency?: number | undefined;
  readonly vpc?: VpcPlace | undefined;
  /** Where events go that were given up; for a function that AWS calls without waiting for it. */
  readonly deadLetters?: Queue;
  /**
   * It sends to a queue that it reads, to look again later. Lambda takes that for a runaway: it follows messages through
   * SQS, and at the 17th call in a chain puts the message aside as dead. How often we look again is bounded by
   * what is recorded, and `maxConcurrency` bounds what it may cost.
   */
  readonly asksItself?: boolean;
}

/** A Lambda function with a role of its own that starts with nothing but its log: every right is granted by name. */
export class TrueUpFunction extends Construct {
  readonly role: Role;
  readonly function: Function;

  constructor(scope: Construct, id: string, props: TrueUpFunctionProps) {
    super(scope, id);
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `trueup: ${props.description}`,
    });
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(this.role);
    this.function = makeFunction(this, props.code, {
      description: props.description,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      timeout: props.timeout,
      memorySize: props.memoryMiB,
      architecture: props.code.architecture,
      ...(props.scratchMiB === undefined ? {} : { ephemeralStorageSize: Size.mebibytes(props.scratchMiB) }),
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...(props.vpc === undefined ? {} : vpcOptions(props.vpc)),
      ...(props.deadLetters === undefined ? {} : { deadLetterQueue: props.deadLetters }),
      ...(props.asksItself === true ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
    });
    if (props.vpc !== undefined) acknowledgeVpc(this.role);
  }

  allow(statement: PolicyStatement): void {
    this.role.addToPolicy(statement);
  }

  /** May send metrics of our namespace, those of this fleet. */
  allowMetrics(fleet: string): void {
    this.allow(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': metricNamespace } },
      }),
    );
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'PutMetricData knows no resources; a condition limits it to our namespace.',
    });
    this.set('fleet', fleet);
  }

  /** Sets a variable of the contract. */
  set(variable: keyof typeof environment, value: string): void {
    this.function.addEnvironment(environment[variable], value);
  }
}

function makeFunction(scope: Construct, code: FunctionCode, options: FunctionOptions): Function {
  if (code.kind === 'image')
    return new DockerImageFunction(scope, 'Function', { ...options, code: code.image });
  return new Function(scope, 'Function', {
    ...options,
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: code.code,
  });
}

function vpcOptions({ vpc, subnets, securityGroups }: VpcPlace): Partial<FunctionOptions> {
  return {
    // The CDK's class and interface disagree about an optional property; it is the same VPC.
    vpc: vpc as IVpc,
    ...(subnets === undefined ? {} : { vpcSubnets: subnets }),
    ...(securityGroups === undefined ? {} : { securityGroups: [...securityGroups] }),
  };
}

function acknowledgeVpc(role: Role): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]',
    reason:
      'Lambda itself needs it to place a function into a VPC, and EC2 knows no narrower resources for it.',
  });
}
