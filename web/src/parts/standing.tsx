import { Alert, Anchor, Badge, Group, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { TargetDetail } from '../../../core/api/contract.ts';
import { Ago } from './ago.tsx';
import { CommitLine } from './commit-line.tsx';
import { nameOf } from './object-name.ts';
import { State } from './state.tsx';

/** What Git says, what is applied, how it is, and how it is kept. */
export function Standing({
  detail: { row, applied, repository, ref, sync, drift },
}: {
  readonly detail: TargetDetail;
}): ReactNode {
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing="sm">
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
            <Text size="xs" c="dimmed">
              <Ago at={applied.at} size="xs" /> ago
            </Text>
          </>
        )}
      </Fact>
      <Fact name="State">
        <Group gap="sm">
          <State of={row.sync} />
          <State of={row.health} />
        </Group>
        <Text size="xs" c="dimmed">
          checked <Ago at={row.checkedAt} size="xs" />
          {row.checkedAt !== undefined && ' ago'}
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
          {row.project !== undefined && (
            <Badge variant="default" tt="none">
              project: {row.project}
            </Badge>
          )}
          {row.environment !== undefined && (
            <Badge
              variant="default"
              tt="none"
              component="a"
              href={row.environment.url}
              target="_blank"
              rel="noreferrer"
            >
              preview of {row.environment.application}
            </Badge>
          )}
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
export function Notices({
  detail: { pin, suspension, waiting, faults, confirm, row, open },
  path,
}: {
  readonly detail: TargetDetail;
  readonly path: string;
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
      {open.length > 0 && (
        <Text size="sm">
          <Anchor component={Link} href={`/${path}/drift`}>
            What differs
          </Anchor>
          : {open.map(({ key }) => nameOf(key)).join(', ')}
        </Text>
      )}
    </>
  );
}
