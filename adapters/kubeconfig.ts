import { Blocked } from '../core/errors.ts';
import type { ApiAccess } from './api-client.ts';

/** Where a kubeconfig comes from, for texts, and which of its contexts is meant; the current one when left out. */
export interface KubeconfigSource {
  readonly cluster: string;
  /** E.g. `secret trueup/kubeconfig/east`. */
  readonly subject: string;
  readonly context?: string | undefined;
}

/**
 * Reads how to reach a cluster from the text of a kubeconfig. It must hold everything itself: a Lambda has neither the
 * files nor the commands that a laptop's kubeconfig points to. Throws Blocked with what to change, and never a value.
 */
export async function accessOf(text: string, source: KubeconfigSource): Promise<ApiAccess> {
  const blocked = (message: string): Blocked => new Blocked({ subject: source.subject, message });
  const config = await parse(text);
  if (config === undefined)
    throw blocked('is not a kubeconfig; store the output of `kubectl config view --raw`');
  const { context } = source;
  if (context !== undefined) {
    if (config.getContextObject(context) === null) throw blocked(`has no context ${context}`);
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) throw blocked('names no current context with a cluster and a user');
  const faults = [
    !cluster.server.startsWith('https://') && 'its server must be https://',
    cluster.skipTLSVerify && 'insecure-skip-tls-verify is not accepted: give certificate-authority-data',
    cluster.proxyUrl !== undefined && 'proxy-url is not supported',
    namesFiles(cluster, user) && 'it names files: store the output of `kubectl config view --raw --flatten`',
    user.exec !== undefined &&
      'exec plugins cannot run here: use access type eks, or the token of a service account',
    user.authProvider !== undefined && 'auth providers are not supported: use the token of a service account',
    user.impersonateUser !== undefined && 'impersonation is not supported',
    user.token === undefined &&
      user.certData === undefined &&
      'its user has neither a token nor a client certificate',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw blocked(faults.join('; '));
  const { token, certData, keyData } = user;
  return {
    cluster: source.cluster,
    server: cluster.server.replace(/\/$/, ''),
    ...(cluster.caData !== undefined && { ca: decode(cluster.caData) }),
    ...(cluster.tlsServerName !== undefined && { serverName: cluster.tlsServerName }),
    ...(token !== undefined && { authorization: async () => `Bearer ${token}` }),
    ...(certData !== undefined &&
      keyData !== undefined && { clientCertificate: { cert: decode(certData), key: decode(keyData) } }),
  };
}

/** Undefined when it does not parse: the parser's own words may quote a token. The library is heavy, so it waits. */
async function parse(text: string) {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch {
    return undefined;
  }
  return config;
}

function namesFiles(
  { caFile }: { readonly caFile?: string },
  { certFile, keyFile }: { readonly certFile?: string; readonly keyFile?: string },
): boolean {
  return [caFile, certFile, keyFile].some((file) => file !== undefined && file !== '');
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
