import { Code, Modal, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import type { ObjectDetail, ObjectRow } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Failed } from './failed.tsx';
import { FieldTable } from './field-table.tsx';
import { useFocusBack } from './focus-back.ts';
import { WaysOn } from './ways-on.tsx';
import { yamlOf } from './yaml-of.ts';

const SideBySide = lazy(async () => import('./side-by-side.tsx'));
const LiveLook = lazy(async () => import('./live-look.tsx'));

interface Props {
  readonly path: string;
  readonly object: ObjectRow;
  /** Whether the server can look at the cluster. */
  readonly isLive: boolean;
  readonly close: () => void;
}

/** One object: what differs, what Git says, what was applied, how it is now. Secrets come masked from the server. */
export function ObjectDialog({ path, object, isLive, close }: Props): ReactNode {
  useFocusBack();
  const { data, error } = useQuery({
    queryKey: ['object', path, object.key],
    queryFn: ({ signal }) => ask<ObjectDetail>(`${path}/object`, { key: object.key }, signal),
  });
  const title = `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`;
  return (
    <Modal opened onClose={close} size="80rem" title={title}>
      {object.healthMessage !== '' && (
        <Text size="sm" mb="xs">
          {object.health}: {object.healthMessage}
        </Text>
      )}
      {error !== null && <Failed error={error} what="this object" />}
      {data !== undefined && (
        <Stack gap="sm">
          <Looks data={data} path={path} object={object} isLive={isLive} />
          <WaysOn links={data.links} commands={data.commands} />
        </Stack>
      )}
    </Modal>
  );
}

function Looks({
  data: { drift, desired, applied },
  path,
  object,
  isLive,
}: Omit<Props, 'close'> & { readonly data: ObjectDetail }): ReactNode {
  return (
    <Tabs defaultValue={drift === undefined ? 'desired' : 'drift'} keepMounted={false}>
      <Tabs.List>
        {drift !== undefined && <Tabs.Tab value="drift">What differs</Tabs.Tab>}
        <Tabs.Tab value="desired">Git says</Tabs.Tab>
        <Tabs.Tab value="applied">Applied last</Tabs.Tab>
        <Tabs.Tab value="beside">Side by side</Tabs.Tab>
        {isLive && <Tabs.Tab value="live">Live</Tabs.Tab>}
      </Tabs.List>
      {drift !== undefined && (
        <Tabs.Panel value="drift" pt="sm">
          <FieldTable episode={drift} />
        </Tabs.Panel>
      )}
      <Tabs.Panel value="desired" pt="sm">
        <Manifest of={desired} none="Git has no such object any more." origin={object.origin} />
      </Tabs.Panel>
      <Tabs.Panel value="applied" pt="sm">
        <Manifest of={applied} none="It was not applied yet." origin={undefined} />
      </Tabs.Panel>
      <Tabs.Panel value="beside" pt="sm">
        <Suspense fallback={null}>
          <SideBySide
            before={{ name: 'applied last', text: applied === null ? '' : yamlOf(applied) }}
            after={{ name: 'Git says', text: desired === null ? '' : yamlOf(desired) }}
          />
        </Suspense>
      </Tabs.Panel>
      {isLive && (
        <Tabs.Panel value="live" pt="sm">
          <Suspense fallback={null}>
            <LiveLook path={path} objectKey={object.key} desired={desired} />
          </Suspense>
        </Tabs.Panel>
      )}
    </Tabs>
  );
}

interface ManifestProps {
  readonly of: ObjectDetail['desired'];
  readonly none: string;
  readonly origin: string | undefined;
}

function Manifest({ of, none, origin }: ManifestProps): ReactNode {
  if (of === null) return <Text size="sm">{none}</Text>;
  return (
    <Stack gap="xs">
      {origin !== undefined && (
        <Text size="xs" c="dimmed">
          {origin}
        </Text>
      )}
      <Code block tabIndex={0} style={{ maxHeight: '60vh', overflow: 'auto' }}>
        {yamlOf(of)}
      </Code>
    </Stack>
  );
}
