import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { KubeconfigClusters } from '../../adapters/kubeconfig-clusters.ts';
import { clusterNameOf, readLocalKubeconfig } from '../../adapters/local-kubeconfig.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { Blocked, Stop } from '../../core/errors.ts';
import { nameSchema } from '../../core/model/target.ts';

const directory = await mkdtemp(join(tmpdir(), 'trueup-kubeconfig-'));
after(() => rm(directory, { recursive: true, force: true }));

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: string;
  readonly current?: string;
}

async function kubeconfig(file: string, { cluster, user, context = 'home', current = context }: Parts) {
  const path = join(directory, file);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [{ name: `${context}-cluster`, cluster: { server: 'https://127.0.0.1:1/', ...cluster } }],
    users: [{ name: `${context}-user`, user: { token: 'secret-token', ...user } }],
    contexts: [{ name: context, context: { cluster: `${context}-cluster`, user: `${context}-user` } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

async function refusal(given: Promise<unknown>): Promise<string> {
  const error: unknown = await given.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Stop || error instanceof Blocked, String(error));
  assert.doesNotMatch(error.message, /secret-token/);
  return error.message;
}

describe('kubeconfig of a person', () => {
  it('gives the current context, or the one that is asked for, from several files', async () => {
    const first = await kubeconfig('first', { context: 'first', current: '' });
    const second = await kubeconfig('second', { context: 'second' });
    const missing = join(directory, 'missing');
    const { cluster, access } = await readLocalKubeconfig({ files: [missing, first, second] });
    assert.deepEqual([cluster, access.server], ['second', 'https://127.0.0.1:1']);
    assert.equal(await access.authorization?.(false), 'Bearer secret-token');
    const chosen = await readLocalKubeconfig({ files: [first, second], context: 'first' });
    assert.equal(chosen.cluster, 'first');
  });

  it('leads to the clusters that its contexts are named like, or whose ARN they bear', async () => {
    const arn = 'arn:aws:eks:eu-west-1:123456789012:cluster/east';
    const files = [
      await kubeconfig('home-context', { context: 'Home_1' }),
      await kubeconfig('arn-context', { context: arn }),
    ];
    const aliases = (cluster: string) => (cluster === 'production' ? [arn] : []);
    const clusters = await KubeconfigClusters.open({ files, aliases }, new SystemClock());
    const reached = [clusterNameOf('Home_1'), 'production', 'other'].map((name) => clusters.reaches(name));
    assert.deepEqual(reached, [true, true, false]);
    const one = await KubeconfigClusters.open({ files, aliases, context: arn }, new SystemClock());
    assert.deepEqual([one.reaches(clusterNameOf('Home_1')), one.reaches('production')], [false, true]);
    await assert.rejects(one.connect('other'), Blocked);
  });

  it('prefers a context that is named like the cluster to one that bears another name of it', async () => {
    const files = [
      await kubeconfig('main-context', { context: 'main' }),
      await kubeconfig('staging-context', { context: 'staging' }),
    ];
    const opened = async (aliases: readonly string[], context?: string) =>
      KubeconfigClusters.open({ files, aliases: () => aliases, context }, new SystemClock());
    const both = await opened(['main']);
    const named = await opened(['main'], 'staging');
    assert.deepEqual([both.contextOf('staging'), named.contextOf('staging')], ['staging', 'staging']);
    assert.equal(both.contextOf('production'), 'main');
  });

  it('reads certificates and tokens from files beside it', async () => {
    await writeFile(join(directory, 'ca.pem'), 'the CA');
    await writeFile(join(directory, 'token'), 'from-a-file\n');
    const files = [
      await kubeconfig('files', {
        cluster: { 'certificate-authority': 'ca.pem' },
        user: { token: undefined, tokenFile: 'token' },
      }),
    ];
    const { access } = await readLocalKubeconfig({ files });
    assert.equal(access.ca, 'the CA');
    assert.equal(await access.authorization?.(true), 'Bearer from-a-file');
    const data = Buffer.from('inline').toString('base64');
    const user = { token: undefined, 'client-certificate-data': data, 'client-key-data': data };
    const inline = await readLocalKubeconfig({ files: [await kubeconfig('inline', { user })] });
    assert.deepEqual(inline.access.clientCertificate, { cert: 'inline', key: 'inline' });
    assert.equal(inline.access.authorization, undefined);
  });

  it('runs exec plugins, again when their token was refused', async () => {
    const plugin = join(directory, 'plugin');
    await writeFile(
      plugin,
      '#!/bin/sh\necho x >> "$COUNT"\nn=$(wc -l < "$COUNT" | tr -d " ")\n' +
        'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"t$n\\"}}"\n',
    );
    await chmod(plugin, 0o755);
    const env = [{ name: 'COUNT', value: join(directory, 'count') }];
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, env };
    const files = [await kubeconfig('exec', { user: { token: undefined, exec } })];
    const { access } = await readLocalKubeconfig({ files });
    assert.equal(await access.authorization?.(false), 'Bearer t1');
    assert.equal(await access.authorization?.(true), 'Bearer t2');
    const broken = { ...exec, command: '/bin/sh', args: ['-c', 'echo please log in >&2; exit 1'] };
    const said = await refusal(
      readLocalKubeconfig({
        files: [await kubeconfig('broken', { user: { token: undefined, exec: broken } })],
      }),
    );
    assert.match(said, /its command \/bin\/sh failed: please log in; does kubectl work with it/);
  });

  const refused: readonly [string, Parts, RegExp][] = [
    ['no TLS', { cluster: { server: 'http://127.0.0.1:1' } }, /must be https/],
    [
      'no check of the server',
      { cluster: { 'insecure-skip-tls-verify': true } },
      /insecure-skip-tls-verify is not accepted/,
    ],
    ['a proxy', { cluster: { 'proxy-url': 'http://x' } }, /proxy-url is not supported/],
    ['a password', { user: { username: 'me', password: 'x' } }, /user name and password/],
    ['an auth provider', { user: { 'auth-provider': { name: 'oidc' } } }, /auth providers/],
    ['impersonation', { user: { as: 'boss' } }, /impersonation by the kubeconfig/],
  ];
  for (const [what, parts, says] of refused) {
    it(`is refused for ${what}, with what to do`, async () => {
      assert.match(await refusal(readLocalKubeconfig({ files: [await kubeconfig('refused', parts)] })), says);
    });
  }

  it('tells what is wrong with it, and which contexts there are', async () => {
    const files = [await kubeconfig('known', { current: '' })];
    assert.match(
      await refusal(readLocalKubeconfig({ files, context: 'away' })),
      /has no context away; it has: home/,
    );
    assert.match(
      await refusal(readLocalKubeconfig({ files })),
      /names no current context; choose one with --context/,
    );
    assert.match(
      await refusal(readLocalKubeconfig({ files: [join(directory, 'none')] })),
      /there is no such file/,
    );
    const text = join(directory, 'text');
    await writeFile(text, 'users: [secret-token: {');
    assert.match(await refusal(readLocalKubeconfig({ files: [text] })), /is not a kubeconfig/);
  });
});

describe('name of a cluster in the records', () => {
  it('is that of its context, made valid and kept apart where it is not', () => {
    assert.equal(clusterNameOf('kind-kind'), 'kind-kind');
    const arn = 'arn:aws:eks:eu-central-1:123456789012:cluster/production-cluster-of-the-shop';
    const names = [arn, `${arn}-2`, 'Admin@Home', 'admin@home', '日本', '-'].map(clusterNameOf);
    for (const name of names) assert.ok(nameSchema.safeParse(name).success, name);
    assert.equal(new Set(names).size, names.length);
    assert.match(names[2] ?? '', /^admin-home-[0-9a-f]{8}$/);
  });
});
