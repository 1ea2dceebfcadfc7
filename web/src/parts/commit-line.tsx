import { Anchor, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { FleetRow } from '../../../core/api/contract.ts';

/** Which commit, what it says and who wrote it; a link where the pages of its host are known. */
export function CommitLine({
  commit: { sha, subject, author, url },
}: {
  readonly commit: FleetRow['commit'];
}): ReactNode {
  const short = sha.slice(0, 7);
  return (
    <Text size="sm" className="cut" title={`${subject} (${author})`}>
      {url === undefined ? (
        <Text component="span" size="sm" ff="monospace">
          {short}
        </Text>
      ) : (
        <Anchor href={url} target="_blank" rel="noreferrer" ff="monospace" size="sm">
          {short}
        </Anchor>
      )}{' '}
      {subject}{' '}
      <Text component="span" size="sm" c="dimmed">
        {author}
      </Text>
    </Text>
  );
}
