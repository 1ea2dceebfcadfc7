import { Alert, Anchor, Badge, Container, Group, SimpleGrid, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import type { TargetDetail } from '../../../core/api/contract.ts';
import { ask, targetPath } from '../ask.ts';
import { Actions } from '../parts/actions.tsx';
import { Ago } from '../parts/ago.tsx';
import { CommitLine } from '../parts/commit-line.tsx';
import { DriftList } from '../parts/drift-list.tsx';
import { Failed } from '../parts/failed.tsx';
import { InstantLook } from '../parts/instant-look.tsx';
import { ObjectList } from '../parts/object-list.tsx';
import { RunList } from '../parts/run-list.tsx';
import { State } from '../parts/state.tsx';
import { TargetMap } from '../parts/target-map.tsx';

const tabs = ['objects', 'map', 'drift', 'runs', 'then'] as const;

/** One application on one cluster: what it should have, what it has, and how it came to that. */
export default function TargetView(): ReactNode {
  const params = useParams<{ cluster: string; application: string; tab?: string }>();
  const [, go] = useLocation();
  const [cluster, application] = [decodeURIComponent(params.cluster), decodeURIComponent(params.application)];
  const path = targetPath(cluster, application);
  const answer = useQuery({
    queryKey: ['target', cluster, application],
    queryFn: ({ signal }) => ask<TargetDetail>(path, {}, signal),
  });
  if (answer.data === undefined) {
    return answer.error === null ? null : (
      <Failed error={answer.error} what={`${application} on ${cluster}`} />
    );
  }
  const detail = answer.data;
  const tab = tabs.find((each) => each === params.tab) ?? 'objects';
  return (
    <Container size="xl" py="md">
      <Stack gap="md">
        <Group justify="space-between" align="start">
          <div>
            <Text size="sm">
              <Anchor component={Link} href="/">
                Fleet
              </Anchor>{' '}
              / {cluster}
            </Text>
            <Title order={1} size="h3">
              {application}
            </Title>
          </div>
          <Actions detail={detail} path={path} />
        </Group>
        <Standing detail={detail} />
        <Notices detail={detail} />
        <Tabs
          value={tab}
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
            <Tabs.Tab value="then">At a time</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="objects" pt="sm">
            <ObjectList objects={detail.objects} path={path} />
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
          <Tabs.Panel value="then" pt="sm">
            <InstantLook path={path} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </Container>
  );
}

function Standing({
  detail: { row, applied, repository, ref, sync, drift },
}: {
  readonly detail: TargetDetail;
}): ReactNode {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }} spacing="sm">
      <Fact name="Git says">
        <CommitLine commit={row.commit} />
        <Text size="xs" c="dimmed">
          {repository}, {ref.replace(/^refs\/(heads|tags)\//, '')}
        </Text>
      </Fact>
      <Fact name="Applied">
        {applied === undefined ? (
          <Text size="sm">nothing yet</Text>
        ) : (
          <>
            <CommitLine commit={applied.commit} />
            <Ago at={applied.at} />
          </>
        )}
      </Fact>
      <Fact name="State">
        <Group gap="sm">
          <State of={row.sync} />
          <State of={row.health} />
        </Group>
        <Text size="xs" c="dimmed">
          checked <Ago at={row.checkedAt} /> ago
        </Text>
      </Fact>
      <Fact name="Modes">
        <Group gap={6}>
          <Badge variant="default" tt="none">
            sync: {sync}
          </Badge>
          <Badge variant="default" tt="none">
            drift: {drift}
          </Badge>
          {row.flags.map((flag) => (
            <Badge key={flag} variant="default" c="var(--warn)" tt="none">
              {flag}
            </Badge>
          ))}
        </Group>
      </Fact>
    </SimpleGrid>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <Text size="xs" c="dimmed" component="h2" m={0} fw={400}>
        {name}
      </Text>
      {children}
    </div>
  );
}

/** What a person should read before anything else. */
function Notices({
  detail: { pin, suspension, waiting, faults, confirm, row },
}: {
  readonly detail: TargetDetail;
}): ReactNode {
  const told = [pin, suspension, waiting].filter((each) => each !== undefined);
  const rest = told.some((each) => row.message.includes(each)) ? '' : row.message;
  return (
    <>
      {faults.length > 0 && (
        <Alert
          color="red"
          title="The newest commit cannot be rendered; what runs stays as it is"
          role="alert"
        >
          {faults.map(({ subject, message }) => (
            <Text key={`${subject} ${message}`} size="sm" ff="monospace">
              {subject}: {message}
            </Text>
          ))}
        </Alert>
      )}
      {told.map((each) => (
        <Alert key={each} color="orange">
          {each}
        </Alert>
      ))}
      {confirm !== undefined && (
        <Alert color="orange" title={`${confirm} objects wait to be deleted`}>
          That is more than the cap allows without a person. See which they are below, then confirm it.
        </Alert>
      )}
      {rest !== '' && faults.length === 0 && <Alert color="gray">{rest}</Alert>}
    </>
  );
}
