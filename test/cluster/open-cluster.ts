import { readFile } from 'node:fs/promises';
import { clusterClient } from './cluster-client.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

/** A cluster to test against: a control plane of our own, or one that the user gave. */
export interface Cluster {
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  /** Undefined for the cluster of TRUEUP_KUBECONFIG: its parts cannot be stopped, its audit log not be read. */
  readonly controlPlane: ControlPlane | undefined;
  /** Ends our own control plane; leaves a given cluster alone. */
  readonly stop: () => Promise<void>;
}

/**
 * Uses the cluster of TRUEUP_KUBECONFIG when that is set, and needs neither Go nor a download then; else starts a
 * control plane. Throws when the given cluster does not answer.
 */
export async function openCluster(options: ControlPlaneOptions): Promise<Cluster> {
  const kubeconfigPath = (options.env ?? process.env)['TRUEUP_KUBECONFIG'];
  if (kubeconfigPath) {
    options.progress?.(`using the cluster of TRUEUP_KUBECONFIG=${kubeconfigPath}`);
    return givenCluster(kubeconfigPath, 'TRUEUP_KUBECONFIG');
  }
  const controlPlane = await startControlPlane(options);
  const { kubeconfig, stop } = controlPlane;
  return { kubeconfig, kubeconfigPath: controlPlane.kubeconfigPath, controlPlane, stop };
}

/** The cluster of a kubeconfig file; `variable` is where its path came from, for the error when it does not answer. */
export async function givenCluster(kubeconfigPath: string, variable: string): Promise<Cluster> {
  try {
    const kubeconfig = await readFile(kubeconfigPath, 'utf8');
    const client = await clusterClient(kubeconfig);
    const { status } = await client.ask('GET', '/version');
    await client.close();
    if (status !== 200) throw new Error(`GET /version answers ${status}`);
    return { kubeconfig, kubeconfigPath, controlPlane: undefined, stop: async () => undefined };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${variable} is ${kubeconfigPath}, and its cluster cannot be used: ${message}`, {
      cause,
    });
  }
}
