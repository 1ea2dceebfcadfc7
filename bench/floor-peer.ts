import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { accessOf } from '../adapters/kubeconfig.ts';
import { fieldManager, labels } from '../core/contract/kubernetes.ts';
import { inBatches } from '../core/in-batches.ts';
import { kubeObjectSchema, type KubeObject } from '../core/model/object.ts';
import { servePeer, type Found } from './peer-process.ts';

/**
 * The least that any engine must do, over connections that are open already. `check`: the metadata of what is ours, a
 * list for each kind, read as JSON and thrown away. `full` and `apply`: one server-side apply for each object, dry or
 * not, of which nothing but the status is looked at.
 */

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string', default: '' }, manifests: { type: 'string', default: '' } },
});
const paths: Readonly<Record<string, readonly [root: string, plural: string]>> = {
  Namespace: ['api/v1', 'namespaces'],
  Service: ['api/v1', 'services'],
  ServiceAccount: ['api/v1', 'serviceaccounts'],
  Deployment: ['apis/apps/v1', 'deployments'],
  Ingress: ['apis/networking.k8s.io/v1', 'ingresses'],
};
const connections = 16;
const access = await accessOf(await readFile(values.kubeconfig, 'utf8'), {
  cluster: 'bench',
  subject: 'bench',
});
const dispatcher = new Agent({
  connections,
  allowH2: false,
  keepAliveTimeout: 600_000,
  connect: { ...(access.ca !== undefined && { ca: access.ca }) },
});

async function count([root, plural]: readonly [string, string]): Promise<number> {
  const selector = encodeURIComponent(labels.application);
  const { statusCode, body } = await request(`${access.server}/${root}/${plural}?labelSelector=${selector}`, {
    dispatcher,
    headers: {
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      authorization: (await access.authorization?.(false)) ?? '',
    },
  });
  const list = JSON.parse(await body.text()) as { items?: unknown[] };
  if (statusCode !== 200) throw new Error(`${plural}: ${statusCode}`);
  return list.items?.length ?? 0;
}

async function objectsOf(application: string): Promise<readonly KubeObject[]> {
  const text = await readFile(join(values.manifests, `${application}.yaml`), 'utf8');
  return text.split('\n---\n').map((document) => {
    const { metadata, ...rest } = kubeObjectSchema.parse(JSON.parse(document));
    const own = { ...metadata.labels, [labels.application]: application };
    return { ...rest, metadata: { ...metadata, labels: own } };
  });
}

async function patch({ kind, metadata: { name, namespace } }: KubeObject, dry: boolean): Promise<void> {
  const [root, plural] = paths[kind] ?? ['', ''];
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const query = `fieldManager=${fieldManager}&force=true&fieldValidation=Strict${dry ? '&dryRun=All' : ''}`;
  const { statusCode, body } = await request(`${access.server}/${root}${scope}/${plural}/${name}?${query}`, {
    dispatcher,
    method: 'PATCH',
    headers: {
      'content-type': 'application/apply-patch+yaml',
      authorization: (await access.authorization?.(false)) ?? '',
    },
    body: texts.get(`${kind}/${name}`) ?? '',
  });
  await body.dump();
  if (statusCode >= 300) throw new Error(`${kind} ${name}: ${statusCode}`);
}

const names = values.manifests === '' ? [] : await readdir(values.manifests);
const all = await Promise.all(names.map(async (file) => objectsOf(file.replace(/\.yaml$/, ''))));
const texts = new Map(
  all.flat().map((object) => [`${object.kind}/${object.metadata.name}`, JSON.stringify(object)]),
);

async function patchAll(dry: boolean): Promise<Found> {
  const [first = [], others = []] = [true, false].map((wanted) =>
    all.flat().filter(({ kind }) => (kind === 'Namespace') === wanted),
  );
  for (const group of [first, others])
    await inBatches(group, connections, async (object) => patch(object, dry));
  return { objects: texts.size, changed: 0 };
}

await servePeer(async (command) => {
  if (command !== 'check') return patchAll(command === 'full');
  const counts = await Promise.all(Object.values(paths).map(count));
  return { objects: counts.reduce((sum, each) => sum + each, 0), changed: 0 };
});
