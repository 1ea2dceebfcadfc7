import { Anchor, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Commands, Links } from '../../../core/api/contract-live.ts';

interface Props {
  readonly links: Links;
  readonly commands?: Commands;
}

/** To where more is to be seen, with the rights of whoever goes there. */
export function WaysOn({ links, commands = [] }: Props): ReactNode {
  if (links.length === 0 && commands.length === 0) return null;
  return (
    <Stack gap={6}>
      {links.length > 0 && (
        <Group gap="md">
          {links.map(({ title, url }) => (
            <Anchor key={url} href={url} target="_blank" rel="noreferrer" size="sm">
              {title}
            </Anchor>
          ))}
        </Group>
      )}
      {commands.map(({ title, command }) => (
        <Group key={command} gap="xs" wrap="nowrap">
          <Text size="xs" c="dimmed" w={80} style={{ flexShrink: 0 }}>
            {title}
          </Text>
          <Code style={{ overflowWrap: 'anywhere' }}>{command}</Code>
          <CopyButton value={command}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                size="compact-xs"
                aria-label={`copy: ${title}`}
                onClick={copy}
                style={{ flexShrink: 0 }}
              >
                {copied ? 'copied' : 'copy'}
              </Button>
            )}
          </CopyButton>
        </Group>
      ))}
    </Stack>
  );
}
