import type { JsonObject } from '../../core/model/json.ts';
import { type ClusterClient, at } from './cluster-client.ts';

/**
 * A Node of 32 cores with no machine behind it; kwok keeps it Ready and plays its Pods. The Pods of a DaemonSet that
 * tolerates nothing run on it, too: it carries no taint, unlike kwok's own examples.
 */
function fakeNode(index: number): JsonObject {
  const name = `fake-${index}`;
  const resources = { cpu: '32', memory: '256Gi', pods: '1000', 'ephemeral-storage': '1Ti' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
      },
    },
    status: { allocatable: resources, capacity: resources },
  };
}

export async function createFakeNodes(client: ClusterClient, count: number): Promise<void> {
  const nodes = Array.from({ length: count }, (_, index) => fakeNode(index));
  await Promise.all(nodes.map(async (node) => client.create('/api/v1/nodes', node)));
}

/** Whether Pods can be scheduled to every Node. */
export async function areNodesReady(client: ClusterClient): Promise<boolean> {
  return (await client.list('/api/v1/nodes')).every(isReady);
}

function isReady(node: JsonObject): boolean {
  const conditions = at(node, 'status', 'conditions');
  if (!Array.isArray(conditions)) return false;
  const ready = conditions.some((each) => at(each, 'type') === 'Ready' && at(each, 'status') === 'True');
  // The node lifecycle controller takes its not-ready taint off a moment later; Pods wait for that.
  return ready && at(node, 'spec', 'taints') === undefined;
}
