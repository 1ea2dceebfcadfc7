import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '../../core/model/json.ts';
import { auditEvents } from './audit-log.ts';
import { type ClusterClient, at, clusterClient } from './cluster-client.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { kubeconfigAs, kubeconfigText } from './kubeconfig.ts';
import { until } from '../e2e/until.ts';

const skip = process.env['TRUEUP_KUBECONFIG']
  ? 'TRUEUP_KUBECONFIG is set: no control plane is started'
  : false;
const pods = { containers: [{ name: 'main', image: 'example.com/app:1' }] };
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const configMaps = '/api/v1/namespaces/default/configmaps';

function deployment(name: string): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: pods },
    },
  };
}

function configMap(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: 'value' } };
}

describe('a control plane', { skip }, () => {
  let webhook: Server;
  let plane: ControlPlane;
  let admin: ClusterClient;
  before(async () => {
    webhook = createServer((incoming, outgoing) => {
      void text(incoming).then((body) =>
        outgoing.end(JSON.stringify(reviewed(JSON.parse(body) as JsonObject))),
      );
    });
    await new Promise<void>((listening) => webhook.listen(0, '127.0.0.1', listening));
    const { port } = webhook.address() as AddressInfo;
    plane = await startControlPlane({
      name: 'east',
      nodes: 2,
      auditLog: true,
      users: [
        { name: 'alice', groups: ['system:masters'] },
        { name: 'bob', groups: ['viewers'] },
      ],
      tokenWebhook: { url: `http://127.0.0.1:${port}/authenticate` },
    });
    admin = await clusterClient(plane.kubeconfig);
  });
  after(async () => {
    await admin?.close();
    await plane?.stop();
    webhook?.closeAllConnections();
    webhook?.close();
  });

  it('rolls a Deployment out until it is available', async () => {
    await admin.create(deployments, deployment('web'));
    await admin.until(`${deployments}/web`, (found) => at(found, 'status', 'availableReplicas') === 3);
  });

  it('runs a Job to its end', async () => {
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const spec = { template: { spec: { ...pods, restartPolicy: 'Never' } } };
    await admin.create(jobs, { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec });
    await admin.until(`${jobs}/once`, (job) => at(job, 'status', 'succeeded') === 1);
  });

  it('has deleted namespaces and their content go away', async () => {
    const path = '/api/v1/namespaces/short-lived';
    await admin.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'short-lived' },
    });
    await admin.create(`${path}/configmaps`, configMap('inside'));
    await admin.remove(path);
    await admin.until(path, (found) => found === undefined);
  });

  it('writes who wrote what to the audit log, and no read', async () => {
    const alice = await clusterClient(plane.kubeconfig, 'alice');
    await alice.create(configMaps, configMap('from-alice'));
    await alice.get(`${configMaps}/from-alice`);
    await alice.patch(`${configMaps}/from-alice`, { data: { key: 'changed' } });
    await alice.close();
    const events = await auditEvents(plane.auditLogPath ?? '');
    const hers = events.filter((event) => at(event, 'user', 'username') === 'alice');
    assert.deepEqual(
      hers.map((event) => [
        event['verb'],
        at(event, 'objectRef', 'name'),
        at(event, 'responseObject', 'data', 'key'),
      ]),
      [
        ['create', 'from-alice', 'value'],
        ['patch', 'from-alice', 'changed'],
      ],
    );
  });

  it('keeps the content of Secrets out of the audit log', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'hidden' },
      stringData: { key: 'xyzzy' },
    };
    await admin.create('/api/v1/namespaces/default/secrets', secret);
    const events = await auditEvents(plane.auditLogPath ?? '');
    const written = events.find((event) => at(event, 'objectRef', 'name') === 'hidden');
    assert.equal(written?.['level'], 'Metadata');
  });

  it('gives a user no more rights than RBAC does', async () => {
    const bob = await clusterClient(kubeconfigAs(plane.kubeconfig, 'bob'));
    const { status } = await bob.ask('GET', configMaps);
    await bob.close();
    assert.equal(status, 403);
  });

  it('is refused by a client that trusts another authority', async () => {
    const users = [{ name: 'admin', token: plane.adminToken }];
    const stranger = await clusterClient(kubeconfigText({ ...plane, cluster: 'east', caData: '', users }));
    await assert.rejects(stranger.ask('GET', '/readyz'), /self-signed certificate|unable to verify/);
    await stranger.close();
  });

  it('asks the token webhook about a token that it does not know', async () => {
    const whoAmI = async (token: string) => {
      const users = [{ name: 'eks', token }];
      const client = await clusterClient(kubeconfigText({ ...plane, cluster: 'east', users }));
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const answer = await client.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        body: review,
      });
      await client.close();
      return [answer.status, at(answer.body, 'status', 'userInfo', 'username')];
    };
    assert.deepEqual(await whoAmI('good-token'), [201, 'arn:aws:iam::111122223333:role/trueup']);
    assert.deepEqual(await whoAmI('bad-token'), [401, undefined]);
  });

  it('runs beside a second one, which knows nothing of it', async () => {
    const second = await startControlPlane({ name: 'west' });
    try {
      const client = await clusterClient(second.kubeconfig);
      await admin.create(configMaps, configMap('only-east'));
      assert.equal(await client.get(`${configMaps}/only-east`), undefined);
      await client.close();
    } finally {
      await second.stop();
    }
    assert.equal((await admin.ask('GET', '/readyz')).status, 200);
  });

  it('goes on where it was after its API server was away', async () => {
    await plane.stopApiserver();
    await assert.rejects(admin.get(`${deployments}/web`), /ECONNREFUSED|other side closed|ECONNRESET/);
    await plane.startApiserver();
    await admin.create(deployments, deployment('later'));
    await admin.until(`${deployments}/later`, (found) => at(found, 'status', 'availableReplicas') === 3, 60);
  });

  it('hangs rather than refuses while its API server is paused', async () => {
    plane.pauseApiserver();
    try {
      // The process stops a moment after the signal was sent: until then it may still answer.
      const fault = await until('no answer', async () => {
        const fresh = await clusterClient(plane.kubeconfig);
        const outcome = await fresh.ask('GET', '/readyz').then(() => undefined, String);
        await fresh.close();
        return outcome;
      });
      assert.match(fault, /Connect Timeout/);
    } finally {
      plane.resumeApiserver();
    }
    assert.equal((await admin.ask('GET', '/readyz')).status, 200);
  });
});

/** Answers as EKS does for a token of one role: it knows a single one. */
function reviewed(review: JsonObject): JsonObject {
  const authenticated = at(review, 'spec', 'token') === 'good-token';
  const user = { username: 'arn:aws:iam::111122223333:role/trueup', groups: ['system:masters'] };
  return { ...review, status: authenticated ? { authenticated, user } : { authenticated } };
}
