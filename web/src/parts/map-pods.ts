import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { LiveObjectView } from '../../../core/api/contract-live.ts';
import type { Topology } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';

/** Each is a question to the cluster. */
const mostWorkloads = 20;
const workloads = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ReplicaSet']);
const pollMs = 10_000;
const none: readonly Topology['nodes'][number][] = [];

type Pod = LiveObjectView['pods'][number];

interface Wanted {
  readonly path: string;
  /** Whether a person asked for it, and the server can tell. */
  readonly isOn: boolean;
}

/** The same map, with the Pods that its workloads have on the cluster now: no record holds those. */
export function useMapWithPods(topology: Topology | undefined, { path, isOn }: Wanted): Topology | undefined {
  const owners = isOn
    ? (topology?.nodes ?? none).filter(({ kind, change }) => workloads.has(kind) && change !== 'created')
    : none;
  const pods = useQueries({
    queries: owners.slice(0, mostWorkloads).map(({ id }) => ({
      queryKey: ['live', path, id],
      queryFn: async ({ signal }: { readonly signal: AbortSignal }) =>
        ask<LiveObjectView>(`${path}/live`, { key: id }, signal),
      refetchInterval: every(pollMs),
    })),
    combine: (answers) => answers.flatMap(({ data }) => (data === undefined ? [] : [data])),
  });
  return useMemo(() => {
    if (topology === undefined || pods.length === 0) return topology;
    const added = pods.flatMap(({ key, pods: all }) => all.map((pod) => ({ owner: key, pod })));
    return {
      ...topology,
      nodes: [...topology.nodes, ...added.map(({ owner, pod }) => nodeOf(owner, pod))],
      edges: [
        ...topology.edges,
        ...added.map(({ owner, pod }) => ({ from: owner, to: idOf(pod), kind: 'owns' as const })),
      ],
    };
  }, [topology, pods]);
}

function idOf({ name }: Pod): string {
  return `pod:${name}`;
}

function nodeOf(owner: string, pod: Pod): Topology['nodes'][number] {
  const namespace = owner.split('/')[2] ?? '';
  return {
    id: idOf(pod),
    kind: `Pod ${pod.ready}`,
    name: pod.name,
    ...(namespace !== '' && { namespace }),
    application: '',
    role: 'workload',
    health: healthOf(pod),
    drift: false,
  };
}

function healthOf({ phase, containers }: Pod): 'Healthy' | 'Degraded' | 'Progressing' {
  const isBroken = containers.some(({ state }) => /BackOff|Err|Error|OOMKilled|Invalid/.test(state));
  if (phase === 'Failed' || isBroken) return 'Degraded';
  const isReady = phase === 'Succeeded' || containers.every(({ ready, init }) => ready || init);
  return isReady ? 'Healthy' : 'Progressing';
}
