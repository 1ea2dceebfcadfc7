import { after } from 'node:test';
import { ApiClient } from '../../adapters/api-client.ts';
import { ApiCluster } from '../../adapters/cluster.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { testCluster } from '../cluster/test-cluster.ts';
import { clusterContract } from '../contract/cluster-contract.ts';
