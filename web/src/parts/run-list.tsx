import { Accordion, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { RunBrief, RunDetail } from '../../../core/api/contract.ts';
import { ask } from '../ask.ts';
import { Ago } from './ago.tsx';
import { CommitLine } from './commit-line.tsx';
import { Failed } from './failed.tsx';
import { Waiting } from './waiting.tsx';
import { nameOf } from './object-name.ts';

const tones: Readonly<Record<RunBrief['outcome'], string>> = {
  applied: 'var(--good)',
  failed: 'var(--bad)',
  blocked: 'var(--bad)',
  cancelled: 'var(--quiet)',
  waiting: 'var(--busy)',
  running: 'var(--busy)',
};

/** Its runs, newest first; opened, each step of one. */
export function RunList({ path }: { readonly path: string }): ReactNode {
  const [opened, setOpened] = useState<string | null>(null);
  const { data, error } = useQuery({
    queryKey: ['runs', path],
    queryFn: ({ signal }) => ask<RunBrief[]>(`${path}/runs`, {}, signal),
  });
  if (data === undefined) return error === null ? <Waiting /> : <Failed error={error} what="its runs" />;
  if (data.length === 0) return <Text size="sm">None in the last 30 days.</Text>;
  return (
    <Accordion variant="separated" chevronPosition="left" value={opened} onChange={setOpened}>
      {data.map((run) => (
        <Accordion.Item key={run.id} value={run.id}>
          <Accordion.Control>
            <div className="run">
              <Text size="sm" c={tones[run.outcome]}>
                {run.outcome}
              </Text>
              <Text size="sm" className="cut" title={run.reason}>
                {run.reason}
              </Text>
              <div className="run-commit">
                <CommitLine commit={run.commit} />
              </div>
              <Text size="sm" c="dimmed" visibleFrom="sm">
                {countsOf(run)}
              </Text>
              <Ago at={run.startedAt} />
            </div>
          </Accordion.Control>
          <Accordion.Panel>{opened === run.id && <RunSteps path={path} run={run} />}</Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function countsOf({ counts }: RunBrief): string {
  const told = Object.entries(counts ?? {}).filter(([name, count]) => count > 0 && name !== 'unchanged');
  return told.length === 0 ? 'nothing changed' : told.map(([name, count]) => `${count} ${name}`).join(', ');
}

function RunSteps({ path, run }: { readonly path: string; readonly run: RunBrief }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['run', run.key],
    queryFn: ({ signal }) => ask<RunDetail>(`${path}/run`, { key: run.key }, signal),
    refetchInterval: run.endedAt === undefined ? 2_000 : false,
  });
  if (error !== null) return <Failed error={error} what="this run" />;
  if (data === undefined) return null;
  const outcomes = new Map(
    data.objects.map(({ ref, outcome, message }) => [
      `${ref.group}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`,
      `${outcome}${message === undefined ? '' : `: ${message}`}`,
    ]),
  );
  return (
    <>
      <Text size="sm">
        asked for by {run.requestedBy}; {run.message}
      </Text>
      {data.refusal !== undefined && (
        <Text size="sm" c="var(--bad)">
          {data.refusal}
        </Text>
      )}
      {data.faults.map(({ subject, message }) => (
        <Text key={`${subject} ${message}`} size="sm" c="var(--bad)">
          {subject}: {message}
        </Text>
      ))}
      <List size="sm" type="ordered" mt="xs">
        {data.actions.map(({ key, action, why }) => (
          <List.Item key={key}>
            <Text component="span" size="sm" fw={600}>
              {action}
            </Text>{' '}
            {nameOf(key)}{' '}
            <Text component="span" size="sm" c="dimmed">
              {why}
              {outcomes.has(key) ? ` → ${outcomes.get(key) ?? ''}` : ''}
            </Text>
          </List.Item>
        ))}
      </List>
    </>
  );
}
