import { Container, Tabs, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useLocation, useParams } from 'wouter';
import { ClusterList } from '../parts/cluster-list.tsx';
import { DeliveryList } from '../parts/delivery-list.tsx';
import { EnvironmentList } from '../parts/environment-list.tsx';

const tabs = {
  clusters: ['Clusters', ClusterList],
  environments: ['Environments', EnvironmentList],
  deliveries: ['Deliveries', DeliveryList],
} as const;

/** What is served, what it was told, and how commits go from one environment to the next. */
export default function InstallationView(): ReactNode {
  const { tab = 'clusters' } = useParams<{ tab?: string }>();
  const [, go] = useLocation();
  return (
    <Container size="xl" py="md">
      <title>Installation · trueup</title>
      <Title order={1} size="h4" mb="sm">
        Installation
      </Title>
      <Tabs
        value={tab in tabs ? tab : 'clusters'}
        onChange={(chosen) => {
          go(`/installation/${chosen ?? 'clusters'}`, { replace: true });
        }}
        keepMounted={false}
      >
        <Tabs.List>
          {Object.entries(tabs).map(([name, [title]]) => (
            <Tabs.Tab key={name} value={name}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {Object.entries(tabs).map(([name, [, List]]) => (
          <Tabs.Panel key={name} value={name} pt="sm">
            <List />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Container>
  );
}
