import { dump, load } from 'js-yaml';
import * as z from 'zod';

/** An identity that the API server knows by its bearer token. */
export interface ClusterUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Where a cluster is and who may speak to it; `users` in the order of the contexts, the first is the current one. */
export interface KubeconfigSource {
  readonly cluster: string;
  readonly server: string;
  /** PEM, base64 as kubeconfigs hold it. */
  readonly caData: string;
  readonly users: readonly { readonly name: string; readonly token: string }[];
}

/**
 * Text of a kubeconfig. The first user's context is named as the cluster, the others' `USER@CLUSTER`, so that
 * `kubectl --context alice@east` acts as alice.
 */
export function kubeconfigText({ cluster, server, caData, users }: KubeconfigSource): string {
  const contexts = users.map(({ name }, index) => ({
    name: index === 0 ? cluster : `${name}@${cluster}`,
    context: { cluster, user: name },
  }));
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': cluster,
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority-data': caData } }],
    contexts,
    users: users.map(({ name, token }) => ({ name, user: { token } })),
  });
}

const kubeconfigSchema = z.looseObject({
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ user: z.string() }) })),
  users: z.array(z.looseObject({ name: z.string() })),
});

/**
 * The same kubeconfig for one of its users alone, e.g. to register the cluster with the rights of that user. Throws
 * when it has no such user, as on a cluster that is not ours.
 */
export function kubeconfigAs(kubeconfig: string, user: string): string {
  const config = kubeconfigSchema.parse(load(kubeconfig));
  const contexts = config.contexts.filter(({ context }) => context.user === user);
  if (contexts[0] === undefined) throw new Error(`the kubeconfig has no context of user ${user}`);
  const users = config.users.filter(({ name }) => name === user);
  return dump({ ...config, contexts, users, 'current-context': contexts[0].name });
}
