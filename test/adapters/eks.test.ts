import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { EKSClient } from '@aws-sdk/client-eks';
import { ApiClient, type ApiAccess } from '../../adapters/api-client.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { AssumedRoles } from '../../adapters/assumed-roles.ts';
import { ConfiguredClusters } from '../../adapters/clusters.ts';
import { EksFinder } from '../../adapters/eks-finder.ts';
import { eksTokens } from '../../adapters/eks-token.ts';
import { eksAccess } from '../../adapters/eks.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { Blocked } from '../../core/errors.ts';
import type { Clock, Cluster } from '../../core/ports.ts';
import { clusterClient } from '../cluster/cluster-client.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { startTokenAuthenticator, type TokenAuthenticator } from './token-authenticator.ts';

const region = 'eu-central-1';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/key+of=role' };
const clock = new SystemClock();
const secrets = {
  get: async () => {
    throw new Error('no secret is needed');
  },
};
const defaultNamespace = { apiVersion: 'v1', plural: 'namespaces', name: 'default' };

const arnOf = (name: string): string => `arn:aws:eks:${region}:111122223333:cluster/${name}`;
const closed = 'https://127.0.0.1:1';
/** What EKS says of each that is not what it says of `shop`. */
const particulars: Readonly<Record<string, object>> = {
  shop: { arn: arnOf('shop'), tags: { trueup: 'yes' }, version: '1.36' },
  creating: { status: 'CREATING', endpoint: undefined, certificateAuthority: undefined },
  updating: { status: 'UPDATING', endpoint: closed },
  private: { endpoint: closed, resourcesVpcConfig: { endpointPublicAccess: false } },
  guarded: {
    endpoint: closed,
    resourcesVpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ['203.0.113.0/24'] },
  },
};

/** Two pages; `gone` was deleted since. */
function listPage(url: string): { clusters: string[]; nextToken?: string } {
  return url.includes('nextToken=second')
    ? { clusters: pages[1] }
    : { clusters: pages[0], nextToken: 'second' };
}
let pages: [string[], string[]] = [['shop'], ['gone']];

const skip = process.env['TRUEUP_KUBECONFIG']
  ? 'TRUEUP_KUBECONFIG is set: no control plane is started'
  : false;

describe('an EKS cluster', { skip }, () => {
  let authenticator: TokenAuthenticator;
  let plane: ControlPlane;
  let eks: Server;

  before(async () => {
    authenticator = await startTokenAuthenticator({ clusterName: 'shop', region, credentials });
    plane = await startControlPlane({ name: 'eks', nodes: 0, tokenWebhook: { url: authenticator.url } });
    eks = createServer((request, response) => {
      const name = request.url?.slice('/clusters/'.length);
      if (request.url?.startsWith('/clusters?') === true || request.url === '/clusters') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(listPage(request.url)));
        return;
      }
      const certificateAuthority = { data: plane.caData };
      const found = { name, status: 'ACTIVE', endpoint: plane.server, certificateAuthority };
      const missing = { message: `No cluster found for name: ${name}.` };
      const cluster = { ...found, ...particulars[name ?? ''] };
      const known = Object.hasOwn(particulars, name ?? '');
      const denied = name === 'denied';
      if (!known) response.statusCode = denied ? 403 : 404;
      response.setHeader('content-type', 'application/json');
      const fault = denied ? 'AccessDeniedException' : 'ResourceNotFoundException';
      if (!known) response.setHeader('x-amzn-errortype', fault);
      response.end(JSON.stringify(known ? { cluster } : missing));
    });
    await new Promise<void>((done) => eks.listen(0, '127.0.0.1', done));
    process.env['AWS_ENDPOINT_URL_EKS'] = `http://127.0.0.1:${(eks.address() as AddressInfo).port}`;
    process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey;
    const admin = await clusterClient(plane.kubeconfig);
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'trueup' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'Group', name: 'trueup', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    await admin.close();
  });

  after(async () => {
    await plane?.stop();
    authenticator?.close();
    eks?.closeAllConnections();
    eks?.close();
  });

  const connect = async (name: string): Promise<Cluster> => {
    const access = { type: 'eks' as const, name, region };
    const clusters = new ConfiguredClusters([{ name: 'east', labels: {}, access }], secrets, clock);
    return clusters.connect('east', () => clock.now() + 60_000);
  };
  const accessWith = async (change: Partial<{ name: string; clock: Pick<Clock, 'now'>; key: string }>) => {
    const keys = { ...credentials, secretAccessKey: change.key ?? credentials.secretAccessKey };
    const client = new EKSClient({ region, credentials: keys });
    const target = { cluster: 'east', name: change.name ?? 'shop', client };
    return eksAccess(target, change.clock ?? clock);
  };
  /** A good token whose URL was changed on the way. */
  const rewritten = async (change: (url: string) => string): Promise<ApiAccess> => {
    const access = await accessWith({});
    const authorization = async (fresh: boolean): Promise<string> => {
      const good = (await access.authorization?.(fresh)) ?? '';
      const url = Buffer.from(good.slice('Bearer k8s-aws-v1.'.length), 'base64url').toString();
      return `Bearer k8s-aws-v1.${Buffer.from(change(url)).toString('base64url')}`;
    };
    return { ...access, authorization };
  };
  const read = async (access: ApiAccess) =>
    new ApiCluster(new ApiClient(access, clock, () => clock.now() + 60_000)).get(defaultNamespace);

  test('is found by name, trusted by its CA, and lets our role in by a signed token', async () => {
    const cluster = await connect('shop');
    assert.equal((await cluster.get(defaultNamespace))?.metadata.name, 'default');
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'by-role', namespace: 'default' },
    };
    const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'by-role' };
    const options = { dryRun: false, force: true } as const;
    assert.equal((await cluster.apply(address, configMap, options)).kind, 'applied');
    assert.deepEqual(authenticator.refusals, []);
  });

  test('what the role may not do is refused, object by object', async () => {
    const cluster = await connect('shop');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'forbidden' } };
    const address = { apiVersion: 'v1', plural: 'namespaces', name: 'forbidden' };
    const options = { dryRun: false, force: true } as const;
    const outcome = await cluster.apply(address, namespace, options);
    assert.equal(outcome.kind, 'refused');
    assert.match(outcome.message, /User "arn:aws:iam::111122223333:role\/trueup" cannot patch/);
  });

  const bad: readonly (readonly [string, () => Promise<ApiAccess>, string])[] = [
    ['signed by another key', async () => accessWith({ key: 'somebody else' }), 'signature'],
    [
      'made two minutes ago',
      async () => accessWith({ clock: { now: () => clock.now() - 120_000 } }),
      'expired',
    ],
    [
      'made for another cluster',
      async () => {
        const { sha256 } = new EKSClient({ region }).config;
        const token = eksTokens({ clusterName: 'bank', region, credentials, sha256, clock });
        return { ...(await accessWith({})), authorization: async (fresh) => `Bearer ${await token(fresh)}` };
      },
      'signature',
    ],
    [
      'tampered with',
      async () =>
        rewritten((url) =>
          url.replace(/Signature=./, (found) => (found.endsWith('0') ? 'Signature=1' : 'Signature=0')),
        ),
      'signature',
    ],
    [
      'of another host',
      async () => rewritten((url) => url.replace(`sts.${region}.amazonaws.com`, 'sts.example.com')),
      'host sts.example.com',
    ],
  ];
  for (const [name, access, reason] of bad) {
    test(`a token ${name} opens nothing`, async () => {
      await assert.rejects(read(await access()), (error) => {
        assert.ok(error instanceof Blocked, String(error));
        assert.match(
          error.message,
          /cluster east: did not accept our credentials \(401\); see that the cluster has an access entry for the role/,
        );
        return true;
      });
      assert.equal(authenticator.refusals.at(-1), reason);
    });
  }

  test('what EKS knows of one that does not answer stands in the reason', async () => {
    const reasons = new Map([
      ['updating', /the connection was refused; .*; EKS is updating it at the moment/],
      ['private', /; its endpoint is private: it is reached from its VPC alone/],
      ['guarded', /; its public endpoint admits 203\.0\.113\.0\/24 alone/],
    ]);
    for (const [name, reason] of reasons) await assert.rejects(read(await accessWith({ name })), reason);
  });

  test('whoever answers with another ARN is not the cluster that is meant', async () => {
    const client = new EKSClient({ region, credentials });
    const arn = `arn:aws:eks:${region}:999999999999:cluster/shop`;
    await assert.rejects(
      eksAccess({ cluster: 'east', name: 'shop', arn, client }, clock),
      /is arn:aws:eks:eu-central-1:111122223333:cluster\/shop in the account that was entered, and not/,
    );
    const own = { cluster: 'east', name: 'shop', arn: arnOf('shop'), client };
    assert.equal((await read(await eksAccess(own, clock)))?.metadata.name, 'default');
  });

  test('clusters are listed page by page, with their tags; one that was deleted meanwhile is none', async () => {
    process.env['AWS_REGION'] = region;
    const finder = new EksFinder(new AssumedRoles('test', clock));
    const shop = {
      name: 'shop',
      arn: arnOf('shop'),
      tags: { trueup: 'yes' },
      version: '1.36',
      status: 'ACTIVE',
    };
    assert.deepEqual(await finder.list({}), { clusters: [shop], unread: undefined });
    pages = [['shop'], ['denied']];
    const { clusters, unread } = await finder.list({ region });
    assert.deepEqual([clusters, unread?.names], [[shop], ['denied']]);
    assert.match(unread?.reason ?? '', /EKS cluster denied in eu-central-1: AWS refused eks:DescribeCluster/);
  });

  test('a cluster that was found and is missing is not even asked for', async () => {
    const access = { type: 'eks' as const, arn: arnOf('shop') };
    const since = '2026-11-23T12:00:00.000Z';
    const found = { name: 'east', arn: arnOf('shop'), scope: '', labels: {}, foundAt: since };
    const missing = { since, why: 'left' as const };
    const served = { name: 'east', labels: {}, access, found: { ...found, missing } };
    const clusters = new ConfiguredClusters(async () => served, secrets, clock);
    await assert.rejects(
      clusters.connect('east', () => clock.now() + 60_000),
      /cluster east: arn:\S+ has not the tags any more .* \(since 2026-11-23T12:00:00\.000Z\); .*trueup clusters --forget east/,
    );
  });

  test('a cluster that does not exist, or is not ready, is Blocked with what to do', async () => {
    await assert.rejects(
      connect('nowhere'),
      /EKS cluster nowhere in eu-central-1: does not exist; correct its name, account or region/,
    );
    await assert.rejects(
      connect('creating'),
      /EKS cluster creating in eu-central-1: has no endpoint or no CA yet \(status CREATING\)/,
    );
  });
});
