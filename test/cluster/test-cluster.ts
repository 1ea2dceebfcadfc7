import { randomBytes } from 'node:crypto';
import { type ClusterClient, clusterClient } from './cluster-client.ts';
import type { ControlPlaneOptions } from './control-plane.ts';
import { type Cluster, givenCluster, openCluster } from './open-cluster.ts';

/** The control plane that all test files share; `test/run.ts` starts it with these options. */
export const sharedClusterOptions = {
  name: 'test',
  auditLog: true,
  users: [
    { name: 'alice', groups: ['system:masters'] },
    { name: 'rival-controller', groups: ['system:masters'] },
    { name: 'trueup', groups: ['system:masters'] },
  ],
} as const satisfies ControlPlaneOptions;

/** A cluster as one test file sees it. */
export interface TestCluster extends Cluster {
  /** This file's own namespace, there already; delete nothing outside it but what you made. */
  readonly namespace: string;
  readonly admin: ClusterClient;
  /** For `auditEvents`; undefined on a given cluster. */
  readonly auditLogPath: string | undefined;
  /** Speaks as one of `sharedClusterOptions.users`; on a given cluster by impersonation. */
  readonly as: (user: string) => Promise<ClusterClient>;
}

/** Variables by which `test/run.ts` hands its cluster to the processes of the test files. */
export function clusterVariables(cluster: Cluster): Record<string, string> {
  const auditLog = cluster.controlPlane?.auditLogPath;
  return {
    TRUEUP_TEST_KUBECONFIG: cluster.kubeconfigPath,
    ...(auditLog === undefined ? {} : { TRUEUP_TEST_AUDIT_LOG: auditLog }),
  };
}

/**
 * The shared cluster (TRUEUP_TEST_KUBECONFIG), or when a test file is run by itself the one of TRUEUP_KUBECONFIG or a
 * control plane for this file alone. `name` says in the namespace's name whose it is. Call `stop` in `after`.
 */
export async function testCluster(name: string): Promise<TestCluster> {
  const shared = process.env['TRUEUP_TEST_KUBECONFIG'];
  const cluster = shared
    ? await givenCluster(shared, 'TRUEUP_TEST_KUBECONFIG')
    : await openCluster({ ...sharedClusterOptions, progress: (line) => console.error(line) });
  const namespace = `${name}-${randomBytes(3).toString('hex')}`;
  const admin = await clusterClient(cluster.kubeconfig);
  const clients = [admin];
  await admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  return {
    ...cluster,
    namespace,
    admin,
    auditLogPath: process.env['TRUEUP_TEST_AUDIT_LOG'] ?? cluster.controlPlane?.auditLogPath,
    as: async (user) => {
      const client = await clusterClient(cluster.kubeconfig, user);
      clients.push(client);
      return client;
    },
    stop: async () => {
      // Not awaited to its end: the namespace goes away while other files run.
      await admin.remove(`/api/v1/namespaces/${namespace}`);
      await Promise.all(clients.map(async (client) => client.close()));
      await cluster.stop();
    },
  };
}
