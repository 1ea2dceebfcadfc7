import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { LiveObjectView } from '../../../core/api/contract-live.ts';
import type { Json } from '../../../core/model/json.ts';
import { ask } from '../ask.ts';
import { Ago } from './ago.tsx';
import { Failed } from './failed.tsx';
import { PodLogs, type LogPlace } from './pod-logs.tsx';
import SideBySide from './side-by-side.tsx';
import { yamlOf } from './yaml-of.ts';

interface Props {
  readonly path: string;
  readonly objectKey: string;
  readonly desired: Json;
}

/** One object as it is on the cluster now, with its Pods, their logs, and its events. */
export default function LiveLook({ path, objectKey, desired }: Props): ReactNode {
  const [logs, setLogs] = useState<LogPlace>();
  const { data, error } = useQuery({
    queryKey: ['live', path, objectKey],
    queryFn: ({ signal }) => ask<LiveObjectView>(`${path}/live`, { key: objectKey }, signal),
  });
  if (error !== null) return <Failed error={error} what="the cluster" />;
  if (data === undefined) return <Text size="sm">Asking the cluster…</Text>;
  if (data.object === null) return <Text size="sm">It is not there.</Text>;
  return (
    <Stack gap="md">
      {data.pods.length > 0 && <Pods pods={data.pods} choose={setLogs} chosen={logs} />}
      {logs !== undefined && <PodLogs path={path} objectKey={objectKey} place={logs} />}
      <Events events={data.events} />
      <SideBySide
        before={{ name: 'Git says', text: desired === null ? '' : yamlOf(desired) }}
        after={{ name: 'the cluster has', text: yamlOf(withoutServerParts(data.object)) }}
      />
    </Stack>
  );
}

interface PodsProps {
  readonly pods: LiveObjectView['pods'];
  readonly chosen: LogPlace | undefined;
  readonly choose: (place: LogPlace) => void;
}

function Pods({ pods, chosen, choose }: PodsProps): ReactNode {
  return (
    <section>
      <Title order={3} size="h6">
        Pods
      </Title>
      {pods.map(({ name, phase, ready, restarts, startedAt, node, containers }) => (
        <Group key={name} className="line" justify="space-between" gap="xs">
          <div>
            <Text size="sm">{name}</Text>
            <Text size="xs" c="dimmed">
              {phase}
              {node !== undefined && ` on ${node}`}, {ready} ready, {restarts} restarts,{' '}
              <Ago at={startedAt} size="xs" /> old
            </Text>
          </div>
          <Group gap={4}>
            <Text size="xs" c="dimmed">
              logs of
            </Text>
            {containers.map((container) => (
              <Button
                key={container.name}
                size="compact-xs"
                variant="default"
                title={`${container.image}: ${container.state}`}
                aria-pressed={chosen?.pod === name && chosen.container === container.name}
                onClick={() => {
                  choose({ pod: name, container: container.name, restarts });
                }}
              >
                {container.name} ({container.state})
              </Button>
            ))}
          </Group>
        </Group>
      ))}
    </section>
  );
}

function Events({ events }: Pick<LiveObjectView, 'events'>): ReactNode {
  return (
    <section>
      <Title order={3} size="h6">
        Events of Kubernetes
      </Title>
      {events.length === 0 && <Text size="sm">None; a cluster keeps them for an hour as a rule.</Text>}
      {events.map(({ at, type, about, reason, message, count }) => (
        <div key={`${at} ${about} ${reason} ${message}`} className="line">
          <Text size="xs" c="dimmed">
            <Ago at={at} size="xs" /> ago, {about}
            {count > 1 && `, ${count} times`}
          </Text>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            <Text component="span" size="sm" c={type === 'Warning' ? 'var(--warn)' : 'inherit'}>
              {reason}
            </Text>{' '}
            {message}
          </Text>
        </div>
      ))}
    </section>
  );
}

const serverParts = [
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'selfLink',
];

/** What the server keeps for itself would drown what a person looks for. */
function withoutServerParts(object: Json): Json {
  if (!isObject(object)) return object;
  const { status: _, metadata, ...rest } = object;
  const { annotations, ...named } = isObject(metadata) ? metadata : {};
  const kept = Object.entries(named).filter(([name]) => !serverParts.includes(name));
  const own = Object.entries(isObject(annotations) ? annotations : {}).filter(
    ([name]) => name !== 'kubectl.kubernetes.io/last-applied-configuration',
  );
  const { apiVersion = null, kind = null, ...others } = rest;
  return {
    apiVersion,
    kind,
    metadata: {
      ...Object.fromEntries(kept),
      ...(own.length > 0 && { annotations: Object.fromEntries(own) }),
    },
    ...others,
  };
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
