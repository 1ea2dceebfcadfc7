import { once } from 'node:events';
import { createServer } from 'node:http';
import { parseStackConfig } from '../../core/contract/config.ts';
import { sample } from './synthesized.ts';

/** An S3 that answers every GET with a stack configuration, for functions that read theirs while they start. */
export async function configEndpoint(): Promise<
  AsyncDisposable & { readonly env: Readonly<Record<string, string>> }
> {
  const text = JSON.stringify(parseStackConfig(sample));
  const server = createServer((_request, response) => response.end(text)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on 127.0.0.1 gave no port');
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { env, [Symbol.asyncDispose]: close };
}
