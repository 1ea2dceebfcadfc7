import { Anchor, Container, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import type { TargetDetail } from '../../../core/api/contract.ts';
import { ask, targetPath } from '../ask.ts';
import { Actions } from '../parts/actions.tsx';
import { DriftList } from '../parts/drift-list.tsx';
import { Failed } from '../parts/failed.tsx';
import { InstantLook } from '../parts/instant-look.tsx';
import { ObjectList } from '../parts/object-list.tsx';
import { RunList } from '../parts/run-list.tsx';
import { Notices, Standing } from '../parts/standing.tsx';
import { TargetMap } from '../parts/target-map.tsx';
import { TimelineLook } from '../parts/timeline-look.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { WaysOn } from '../parts/ways-on.tsx';

const tabs = ['objects', 'map', 'drift', 'runs', 'timeline', 'then'] as const;

/** One application on one cluster: what it should have, what it has, and how it came to that. */
export default function TargetView(): ReactNode {
  const params = useParams<{ cluster: string; application: string; tab?: string }>();
  const [cluster, application] = [decodeURIComponent(params.cluster), decodeURIComponent(params.application)];
  const path = targetPath(cluster, application);
  const answer = useQuery({
    queryKey: ['target', cluster, application],
    queryFn: ({ signal }) => ask<TargetDetail>(path, {}, signal),
  });
  if (answer.data === undefined) {
    return answer.error === null ? (
      <Waiting />
    ) : (
      <Failed error={answer.error} what={`${application} on ${cluster}`} />
    );
  }
  const detail = answer.data;
  return (
    <Container size="xl" py="md">
      <title>{`${application} on ${cluster} · trueup`}</title>
      <Stack gap="md">
        <Group justify="space-between" align="start">
          <div>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              <Anchor component={Link} href="/">
                Fleet
              </Anchor>{' '}
              /{' '}
              <Anchor component={Link} href={`/?cluster=${encodeURIComponent(cluster)}`}>
                {cluster}
              </Anchor>{' '}
              /{' '}
              <Anchor component={Link} href={`/?application=${encodeURIComponent(application)}`}>
                on all clusters
              </Anchor>
            </Text>
            <Title order={1} size="h3" style={{ overflowWrap: 'anywhere' }}>
              {application}
            </Title>
          </div>
          <Actions detail={detail} path={path} />
        </Group>
        <Standing detail={detail} />
        <Notices detail={detail} path={path} />
        <WaysOn links={detail.links} />
        <Looks detail={detail} path={path} tab={params.tab} />
      </Stack>
    </Container>
  );
}

interface LooksProps {
  readonly detail: TargetDetail;
  readonly path: string;
  readonly tab: string | undefined;
}

function Looks({ detail, path, tab }: LooksProps): ReactNode {
  const [, go] = useLocation();
  const { cluster, application } = detail.row;
  return (
    <Tabs
      value={tabs.find((each) => each === tab) ?? 'objects'}
      onChange={(chosen) => {
        go(`/${path}/${chosen ?? 'objects'}`, { replace: true });
      }}
      keepMounted={false}
    >
      <Tabs.List>
        <Tabs.Tab value="objects">Objects ({detail.objects.length})</Tabs.Tab>
        <Tabs.Tab value="map">Map</Tabs.Tab>
        <Tabs.Tab value="drift">Drift ({detail.open.length} open)</Tabs.Tab>
        <Tabs.Tab value="runs">Runs</Tabs.Tab>
        <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
        <Tabs.Tab value="then">At a time</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="objects" pt="sm">
        <ObjectList objects={detail.objects} path={path} isLive={detail.live} />
      </Tabs.Panel>
      <Tabs.Panel value="map" pt="sm">
        <TargetMap detail={detail} path={path} />
      </Tabs.Panel>
      <Tabs.Panel value="drift" pt="sm">
        <DriftList path={path} />
      </Tabs.Panel>
      <Tabs.Panel value="runs" pt="sm">
        <RunList path={path} />
      </Tabs.Panel>
      <Tabs.Panel value="timeline" pt="sm">
        <TimelineLook of={{ cluster, application }} />
      </Tabs.Panel>
      <Tabs.Panel value="then" pt="sm">
        <InstantLook path={path} />
      </Tabs.Panel>
    </Tabs>
  );
}
