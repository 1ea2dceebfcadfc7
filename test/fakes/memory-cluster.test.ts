import { clusterContract } from '../contract/cluster-contract.ts';
import { MemoryCluster } from './memory-cluster.ts';

clusterContract('a cluster in memory', async () => {
  const cluster = new MemoryCluster();
  const write = async (...given: Parameters<MemoryCluster['write']>): Promise<void> => {
    cluster.write(...given);
  };
  return { cluster, namespace: 'default', write };
});
