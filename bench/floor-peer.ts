import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { accessOf } from '../adapters/kubeconfig.ts';
import { labels } from '../core/contract/kubernetes.ts';
import { servePeer } from './peer-process.ts';

/**
 * The least that any check must do: the metadata of what is ours, a list for each kind, over connections that are
 * open already, read as JSON and thrown away.
 */

const { values } = parseArgs({ options: { kubeconfig: { type: 'string', default: '' } } });
const kinds = [
  'api/v1/namespaces',
  'api/v1/services',
  'api/v1/serviceaccounts',
  'apis/apps/v1/deployments',
  'apis/networking.k8s.io/v1/ingresses',
];
const access = await accessOf(await readFile(values.kubeconfig, 'utf8'), {
  cluster: 'bench',
  subject: 'bench',
});
const dispatcher = new Agent({
  connections: 16,
  allowH2: false,
  keepAliveTimeout: 600_000,
  connect: { ...(access.ca !== undefined && { ca: access.ca }) },
});

async function count(kind: string): Promise<number> {
  const selector = encodeURIComponent(labels.application);
  const { statusCode, body } = await request(`${access.server}/${kind}?labelSelector=${selector}`, {
    dispatcher,
    headers: {
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      authorization: (await access.authorization?.(false)) ?? '',
    },
  });
  const list = JSON.parse(await body.text()) as { items?: unknown[] };
  if (statusCode !== 200) throw new Error(`${kind}: ${statusCode}`);
  return list.items?.length ?? 0;
}

await servePeer(async () => {
  const counts = await Promise.all(kinds.map(count));
  return { objects: counts.reduce((sum, each) => sum + each, 0), changed: 0 };
});
