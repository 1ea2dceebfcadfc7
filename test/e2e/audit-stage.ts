import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { auditFilterPattern, auditLogGroup } from '../../core/contract/audit.ts';
import type { LocalAws } from '../aws/local-aws.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { startAuditFeed, type AuditFeed, type Subscription } from './audit-feed.ts';
import { install, type Installation } from './installation.ts';

const eksName = 'audited';

/** An installation that follows the audit log of its one cluster: a real control plane that the local AWS calls an EKS cluster. */
export interface AuditStage {
  readonly installation: Installation;
  readonly plane: ControlPlane;
  readonly feed: AuditFeed;
  readonly stop: () => Promise<void>;
}

export interface AuditStageOptions {
  readonly fleet: string;
  readonly dir: string;
  readonly aws: LocalAws;
  readonly progress: (line: string) => void;
}

export async function openAuditStage({ fleet, dir, aws, progress }: AuditStageOptions): Promise<AuditStage> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).toReversed()) await end();
  };
  try {
    const authenticator = await startAuthenticator();
    stops.push(async () => void authenticator.close());
    const { port } = authenticator.address() as AddressInfo;
    const plane = await startControlPlane({
      name: 'audited',
      progress,
      auditLog: true,
      users: [{ name: 'alice', groups: ['system:masters'] }],
      tokenWebhook: { url: `http://127.0.0.1:${port}/` },
    });
    stops.push(plane.stop);
    await declareEks(aws, plane);
    const labels = { environment: 'production' };
    const access = { type: 'eks' as const, name: eksName };
    const installation = await install({
      fleet,
      dir: join(dir, 'installation'),
      from: resolve(import.meta.dirname, '../../examples/quickstart'),
      clusters: [],
      overrides: {
        clusters: [{ name: 'local', labels, access, audit: true }],
        // Nothing but the audit log finds anything.
        sweepMinutes: 60,
        // The same field may be edited and healed again and again.
        loopBreaker: { flips: 20, minutes: 1 },
      },
      progress,
      aws,
    });
    stops.push(installation.stop);
    const send = await auditFunction(installation);
    const subscription = { logGroup: auditLogGroup(eksName), pattern: auditFilterPattern, send };
    const feed = await startAuditFeed(plane.auditLogPath ?? '', subscription);
    stops.push(feed.stop);
    return { installation, plane, feed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lets in whoever has a token of the kind that EKS takes; that these are signed as they should be is another test's. */
async function startAuthenticator(): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { spec } = JSON.parse(await text(request)) as { readonly spec: { readonly token: string } };
      const user = {
        username: 'arn:aws:sts::000000000000:assumed-role/trueup/session',
        groups: ['system:masters'],
      };
      const isEks = spec.token.startsWith('k8s-aws-v1.');
      const status = isEks ? { authenticated: true, user } : { authenticated: false };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
    };
    void answer();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

async function declareEks(aws: LocalAws, plane: ControlPlane): Promise<void> {
  const response = await fetch(`${aws.endpoint}/_trueup/eks/${eksName}`, {
    method: 'PUT',
    body: JSON.stringify({ endpoint: plane.server, certificateAuthority: plane.caData }),
  });
  if (!response.ok) throw new Error(`the local AWS did not take the EKS cluster: ${response.status}`);
}

/** Calls the audit function as CloudWatch Logs does. */
async function auditFunction({ clients, stack }: Installation): Promise<Subscription['send']> {
  const formation = new CloudFormationClient(clients);
  const { StackResources = [] } = await formation.send(
    new DescribeStackResourcesCommand({ StackName: stack }),
  );
  const found = StackResources.find(
    ({ ResourceType, LogicalResourceId = '' }) =>
      ResourceType === 'AWS::Lambda::Function' && LogicalResourceId.includes('AuditFunction'),
  );
  if (found === undefined) throw new Error(`the stack ${stack} has no audit function`);
  const lambda = new LambdaClient(clients);
  return async (event) =>
    lambda.send(
      new InvokeCommand({
        FunctionName: found.PhysicalResourceId,
        // As CloudWatch Logs calls it.
        InvocationType: 'Event',
        Payload: Buffer.from(JSON.stringify(event)),
      }),
    );
}
