import { Button, Code, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Comparison, Instant } from '../../../core/api/contract.ts';
import { ask, every } from '../ask.ts';
import { CommitLine } from './commit-line.tsx';
import { Failed } from './failed.tsx';
import { whoOf } from './field-table.tsx';
import { usePlaceFilter } from './place-filter.ts';
import { nameOf } from './object-name.ts';
import { whenOf } from './when.ts';

/** Inputs of this kind take years of six digits, which no other part does. */
const latest = '9999-12-31T23:59';
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const dayMs = 86_400_000;
const minuteMs = 60_000;

/** "What was here at 14:05 on Tuesday?", and what has changed from then to another time. */
export function InstantLook({ path }: { readonly path: string }): ReactNode {
  const [{ from: given }] = usePlaceFilter(['from']);
  const start = given === undefined ? NaN : Date.parse(given);
  // A minute later: inputs of this kind have no seconds, and what began in that minute should be there.
  const [from, setFrom] = useState(() =>
    localTime(Number.isNaN(start) ? Date.now() - dayMs : start + minuteMs),
  );
  const [to, setTo] = useState(() => localTime(Date.now()));
  const [asked, setAsked] = useState({ from, to });
  return (
    <Stack gap="sm">
      <Group align="end" gap="sm">
        <TextInput
          type="datetime-local"
          label={`What was here at (${zone})`}
          max={latest}
          value={from}
          onChange={(event) => {
            setFrom(event.currentTarget.value);
          }}
        />
        <TextInput
          type="datetime-local"
          label="compared with"
          max={latest}
          value={to}
          onChange={(event) => {
            setTo(event.currentTarget.value);
          }}
        />
        <Button
          variant="default"
          disabled={!isTime(from) || !isTime(to)}
          onClick={() => {
            setAsked({ from, to });
          }}
        >
          Look
        </Button>
      </Group>
      <There path={path} time={isoOf(asked.from)} />
      <Changes path={path} from={isoOf(asked.from)} to={isoOf(asked.to)} />
    </Stack>
  );
}

/** As inputs of this type want it: the time of the clock on the wall. */
function localTime(milliseconds: number): string {
  const offset = new Date(milliseconds).getTimezoneOffset() * minuteMs;
  return new Date(milliseconds - offset).toISOString().slice(0, 16);
}

function isTime(local: string): boolean {
  return local !== '' && local <= latest;
}

function isoOf(local: string): string {
  return new Date(local).toISOString();
}

function There({ path, time }: { readonly path: string; readonly time: string }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['at', path, time],
    queryFn: ({ signal }) => ask<Instant>(`${path}/at`, { time }, signal),
    refetchInterval: every(false),
  });
  if (error !== null) return <Failed error={error} what="what was here then" />;
  if (data === undefined)
    return (
      <Text size="sm" role="status">
        Looking…
      </Text>
    );
  if (data.run === undefined) return <Text size="sm">Nothing had been applied by then.</Text>;
  return (
    <div>
      <CommitLine commit={data.run.commit} />
      <Text size="sm" c="dimmed">
        {data.objects.length} objects, applied {whenOf(data.run.startedAt)} by {data.run.requestedBy}
      </Text>
      {data.drift.map((episode) => (
        <Text key={episode.id} size="sm" c="var(--bad)">
          {nameOf(episode.key)} had drifted: {whoOf(episode)}
        </Text>
      ))}
    </div>
  );
}

interface ChangesProps {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

function Changes({ path, from, to }: ChangesProps): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['diff', path, from, to],
    queryFn: ({ signal }) => ask<Comparison>(`${path}/diff`, { from, to }, signal),
    refetchInterval: every(false),
  });
  if (error !== null) return <Failed error={error} what="what changed" />;
  if (data === undefined) return null;
  if (data.objects.length === 0) return <Text size="sm">Nothing changed between the two.</Text>;
  const lines = data.objects.flatMap(({ key, change, fields }) => [
    `${{ created: '+', changed: '!', removed: '-' }[change]} ${nameOf(key)}`,
    ...fields.flatMap((field) => [
      `    ${field.path}`,
      ...(field.from === undefined ? [] : [`-     ${JSON.stringify(field.from)}`]),
      ...(field.to === undefined ? [] : [`+     ${JSON.stringify(field.to)}`]),
    ]),
  ]);
  return (
    <Code block tabIndex={0}>
      {lines.join('\n')}
    </Code>
  );
}
