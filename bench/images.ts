import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { keys, prefixes } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { deliverySchema, type Delivery } from '../core/model/delivery.ts';
import { secondsBetween } from '../core/model/time.ts';
import { containerImage, pushImage } from '../test/artifacts/container-image.ts';
import { localFunctionUrl } from '../test/aws/emulator.ts';
import { startLocalAws } from '../test/aws/local-aws.ts';
import { openCluster } from '../test/cluster/open-cluster.ts';
import { findTools, toolFolders } from '../test/cluster/tools.ts';
import { install, type Installation } from '../test/e2e/installation.ts';
import { recordsOf, type Records } from '../test/e2e/records.ts';
import { until } from '../test/e2e/until.ts';
import { git } from '../test/git/git-command.ts';
import { cloneWorktree } from '../test/git/worktree.ts';
import { registryVersion, startRealRegistry } from './real-registry.ts';
import { duration, median, table, writeSection } from './report.ts';

/**
 * `npm run bench:images`: an image pushed to a real registry → its notification → commit → applied → healthy, on the local
 * stack. Times are from the start of the push to what the system's own records say.
 */

const rounds = 5;
const target = { cluster: 'local', application: 'shop' };
const progress = (line: string) => process.stderr.write(`${line}\n`);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

const filesFor = (image: string) => ({
  'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: shop}
spec:
  source: {path: apps/shop}
  clusters: {names: [local]}
  namespace: shop
  images:
    - {image: '${image}', policy: {semver: {range: 1.x}}, digest: always}
`,
  'apps/shop/kustomization.yaml': `resources: [shop.yaml]
images:
  - name: shop
    newName: ${image}
    newTag: 1.0.0
`,
  'apps/shop/shop.yaml': `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
`,
});

async function deliveriesOf(
  { store }: Records,
  hook: 'distribution' | 'github',
): Promise<readonly Delivery[]> {
  const found = await Array.fromAsync(store.list(`${prefixes.deliveries}${hook}/id/`));
  const read = await Promise.all(found.map((key) => readDocument(store, key, deliverySchema)));
  return read.flatMap((document) => (document === undefined ? [] : [document.value]));
}

async function hookToken({ clients, output }: Installation): Promise<string> {
  const client = new SecretsManagerClient(clients);
  const SecretId = `${output('hookSecretPrefix')}/distribution`;
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId }));
  client.destroy();
  return SecretString;
}

interface Timeline {
  /** Seconds since the push to the registry began. */
  readonly told: number;
  readonly committed: number;
  readonly applied: number;
  readonly healthy: number;
}

interface World {
  readonly installation: Installation;
  readonly records: Records;
  readonly clone: string;
  readonly registry: string;
}

/** One image, pushed; and what came of it, when. */
async function measure({ records, clone, registry }: World, tag: string): Promise<Timeline> {
  const image = containerImage({
    created: new Date().toISOString(),
    labels: {
      'org.opencontainers.image.source': 'https://github.com/acme/shop',
      'org.opencontainers.image.revision': '3f2a9c1d',
    },
  });
  const startedAt = new Date().toISOString();
  await pushImage(registry, 'shop', tag, image);
  const told = await until(`the notification of ${tag}`, async () =>
    (await deliveriesOf(records, 'distribution')).find(({ images }) =>
      images?.some((one) => one.tag === tag),
    ),
  );
  const sha = await until(`the commit of ${tag}`, async () => {
    await git(clone, ['fetch', '--quiet', 'origin']);
    const subject = await git(clone, ['log', '-1', '--format=%s', 'origin/main']);
    return subject === `Set shop to ${tag}` ? git(clone, ['rev-parse', 'origin/main']) : undefined;
  });
  const message = await git(clone, ['log', '-1', '--format=%b', sha]);
  if (!message.includes('Source: https://github.com/acme/shop at 3f2a9c1d'))
    throw new Error(`the commit does not say what the labels do: ${message}`);
  const pushed = await until(`the webhook of ${sha}`, async () =>
    (await deliveriesOf(records, 'github')).find(({ pushes }) => pushes?.some(({ after }) => after === sha)),
  );
  const run = await until(`${sha} healthy`, async () => {
    const found = (await records.runs(target)).findLast(({ value }) => value.commit.sha === sha)?.value;
    return found?.health?.status === 'Healthy' ? found : undefined;
  });
  const since = (at: string | undefined) => secondsBetween(startedAt, at ?? '');
  return {
    told: since(told.receivedAt),
    committed: since(pushed.receivedAt),
    applied: since(run.outcome?.at),
    healthy: since(run.health?.at),
  };
}

async function runBench(world: World): Promise<void> {
  await until('the first version healthy', async () => {
    const [last] = (await world.records.runs(target)).toReversed();
    return last?.value.health?.status === 'Healthy' ? last : undefined;
  });
  const cold = await measure(world, '1.1.0');
  const warm: Timeline[] = [];
  for (let round = 1; round <= rounds; round += 1) warm.push(await measure(world, `1.1.${round}`));
  const row = (name: string, of: keyof Timeline) => {
    const values = warm.map((one) => one[of]);
    const range = `${duration(Math.min(...values))} to ${duration(Math.max(...values))}`;
    return [name, duration(median(values)), range, duration(cold[of])];
  };
  const rows = [
    row('→ notification received', 'told'),
    row('→ commit pushed, its webhook received', 'committed'),
    row('→ applied', 'applied'),
    row('→ healthy', 'healthy'),
  ];
  const memory = await world.records.store.get(keys.images('config'));
  if (!memory?.text.includes(`"last":"1.1.${rounds}"`)) throw new Error('the last version is not remembered');
  const text = `From the start of the push of an image to a real registry (CNCF Distribution ${registryVersion}, its own
notifications) to what the system's own records say; the local AWS gathers messages for a second, as AWS does. The images
function asks the registry for the labels of each image, and its commit says them. Median of ${rounds}.

${table(['image pushed', 'median', 'range', 'cold functions'], rows)}

Healthy is what the first look after a run has found, five seconds after it.`;
  await writeSection('Images: `npm run bench:images`', text);
  console.log(text);
}

const dir = await mkdtemp(join(tmpdir(), 'trueup-bench-'));
const stops: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
try {
  const tools = await findTools({ progress });
  const aws = await startLocalAws({ dir: join(dir, 'aws'), progress, extraPath: toolFolders(tools) });
  stops.push(() => aws.stop());
  const cluster = await openCluster({ name: 'local', progress });
  stops.push(() => cluster.stop());
  const port = await freePort();
  const from = join(dir, 'from');
  for (const [file, text] of Object.entries(filesFor(`127.0.0.1:${port}/shop`))) {
    await mkdir(dirname(join(from, file)), { recursive: true });
    await writeFile(join(from, file), text);
  }
  const installation = await install({
    fleet: 'bench',
    dir,
    from,
    clusters: [{ name: 'local', labels: {}, cluster }],
    progress,
    aws,
    repository: { images: {} },
    overrides: {
      hooks: [{ provider: 'distribution' }],
      sources: { images: [{ url: `oci://127.0.0.1:${port}` }] },
    },
  });
  stops.push(() => installation.stop());
  const hook = {
    url: localFunctionUrl(aws, `${installation.output('hookUrl')}hooks/distribution`),
    token: await hookToken(installation),
  };
  const registry = await startRealRegistry({ dir: join(dir, 'registry'), port, hook, progress });
  stops.push(() => registry.stop());
  const clone = join(dir, 'clone');
  await cloneWorktree(installation.cloneUrlWithToken, clone);
  await git(clone, ['commit', '--quiet', '--allow-empty', '--message', 'shop: first']);
  await git(clone, ['push', '--quiet', 'origin', 'HEAD:main']);
  await runBench({ installation, records: recordsOf(installation), clone, registry: registry.url });
} finally {
  for (const stop of stops.toReversed()) await stop();
}
