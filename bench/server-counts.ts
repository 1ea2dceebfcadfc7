import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { ClusterClient } from '../test/cluster/cluster-client.ts';

/** Kinds that only the measured engines touch; controllers of the cluster write status, which is not counted. */
const counted = new Set([
  'namespaces',
  'deployments',
  'services',
  'serviceaccounts',
  'ingresses',
  'horizontalpodautoscalers',
  'persistentvolumeclaims',
]);
/** Paths of no resource that engines ask for. */
const discovery = /^(api|apis|version|openapi\/v[23].*)$/;
const verbs = new Set(['GET', 'LIST', 'APPLY', 'PATCH', 'POST', 'DELETE']);

/** Requests that the API server has answered so far, of the kinds that engines send. */
export async function requestCount(client: ClusterClient): Promise<number> {
  const { body } = await client.ask('GET', '/metrics');
  const text = typeof body === 'string' ? body : '';
  let sum = 0;
  for (const [, members = '', value] of text.matchAll(/^apiserver_request_total\{([^}]*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(members)?.[1] ?? '';
    const resource = label('resource');
    const subresource = label('subresource');
    const isCounted = counted.has(resource)
      ? subresource === ''
      : resource === '' && discovery.test(subresource);
    if (isCounted && verbs.has(label('verb'))) sum += Number(value);
  }
  return sum;
}

/** A way to the API server that counts what goes through. For counting runs only: it costs time of its own. */
export interface CountingPath extends AsyncDisposable {
  readonly port: number;
  readonly bytes: () => number;
}

export async function countingPath(target: string): Promise<CountingPath> {
  const { hostname, port } = new URL(target);
  let bytes = 0;
  const sockets = new Set<Socket>();
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
  };
  const server = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(socket);
      socket.on('data', count).on('error', () => other.destroy());
      socket.on('close', () => other.destroy()).pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
