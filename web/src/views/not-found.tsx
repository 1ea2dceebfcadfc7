import { Anchor, Container, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

export default function NotFound(): ReactNode {
  return (
    <Container py="xl">
      <Title order={1} size="h3">
        There is no such page
      </Title>
      <Text>
        The address may be of an older version.{' '}
        <Anchor component={Link} href="/">
          Go to the fleet
        </Anchor>
        .
      </Text>
    </Container>
  );
}
